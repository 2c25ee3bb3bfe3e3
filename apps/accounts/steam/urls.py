"""Found by allauth beside the provider."""

from django.urls import path

from apps.accounts.steam import views

urlpatterns = [
    path("steam/login/", views.LoginView.as_view(), name="steam_login"),
    path("steam/login/callback/", views.callback, name="steam_callback"),
]

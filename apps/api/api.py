from ninja import NinjaAPI

api = NinjaAPI(title="DeltaCrown", version="1")

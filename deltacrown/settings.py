"""
All settings, top to bottom. Whatever differs between installations comes from the environment; the defaults run
on a laptop with nothing but Python. docs/operations.md lists the variables.
"""

import os
import secrets
from contextlib import suppress
from email.utils import parseaddr
from ipaddress import ip_network
from pathlib import Path

import environ

env = environ.Env()
BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = Path(env.str("VAR_DIR", default=str(BASE_DIR / "var")))  # database and generated secrets
VAR_DIR.mkdir(parents=True, exist_ok=True)


def _secret_key() -> str:
    """Return SECRET_KEY, or one made at the first start and kept in a file that only its owner can read."""
    key: str = env.str("SECRET_KEY", default="")
    if key:
        return key
    file = VAR_DIR / "secret_key"
    if not file.exists():
        draft = VAR_DIR / f"secret_key.{os.getpid()}"
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_urlsafe(64))
        with suppress(FileExistsError):  # another process of this installation was faster; its key is the one
            file.hardlink_to(draft)
        draft.unlink()
    return file.read_text()


# Site ----------------------------------------------------------------------------------------------------------------
DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY = _secret_key()
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
VERSION = env.str("VERSION", default=BASE_DIR.name)  # as operators know it; a version has a folder of its own
SITE_URL = env.str("SITE_URL", default="")  # https://cup.example.org; empty: plain http on this machine
CSRF_TRUSTED_ORIGINS = [SITE_URL] if SITE_URL else []
# Exact origins (scheme://host:port) that may open a WebSocket; empty: the site's own.
WS_ALLOWED_ORIGINS = env.list("WS_ALLOWED_ORIGINS", default=[])

# Networks of the reverse proxies in front of this site; only they are believed about where a request comes from. "unix"
# is whoever connects to the Unix socket of this process.
TRUSTED_PROXIES = env.list("TRUSTED_PROXIES", default=[])

ROOT_URLCONF = "deltacrown.urls"
ASGI_APPLICATION = "deltacrown.asgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# What readers choose from; LANGUAGE_CODE is for whoever asks for none of them, and of what goes to channels.
LANGUAGE_CODE = env.str("LANGUAGE_CODE", default="en")
LANGUAGES = [("en", "English"), ("de", "Deutsch")]
LOCALE_PATHS = [BASE_DIR / "locale"]  # the .mo files are made by deltacrown/catalogues.py; without them all is English
LANGUAGE_COOKIE_AGE = 365 * 24 * 60 * 60
LANGUAGE_COOKIE_SAMESITE = "Lax"
USE_TZ = True
TIME_ZONE = "UTC"  # of whoever's zone is not known

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "apps.web",  # before the admin and allauth, whose pages it gives their look
    "deltacrown.apps.SiteAdminConfig",
    "allauth",
    "allauth.account",
    "allauth.usersessions",
    "allauth.headless",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.discord",
    "allauth.socialaccount.providers.twitch",
    "apps.accounts.steam",
    "ninja",  # the files of the docs page
    "apps.accounts",
    "apps.eventlog",
    "apps.tournaments",
    "apps.integrations",
    "apps.notifications",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "deltacrown.csp.ContentSecurityPolicyMiddleware",
    "deltacrown.compression.CompressionMiddleware",
    "deltacrown.static.StaticFilesMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "apps.web.reader.reader_middleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "allauth.usersessions.middleware.UserSessionsMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    }
]

# Database and bus ----------------------------------------------------------------------------------------------------
DATABASES = {"default": env.db("DATABASE_URL", default=f"sqlite:///{VAR_DIR / 'db.sqlite3'}")}
IS_DEMO_DATABASE = env.bool("DEMO", default="DATABASE_URL" not in env.ENVIRON)
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"]["OPTIONS"] = {
        # Writers queue instead of failing half-way; readers go on beside them.
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }
    # Opening a connection costs 2 ms, as much as 20 queries; Django would open one for every call from a socket.
    DATABASES["default"]["CONN_MAX_AGE"] = None
    # A file, not memory: the tests open it from several threads and processes at once.
    DATABASES["default"]["TEST"] = {"NAME": str(VAR_DIR / "test.sqlite3")}
else:
    DATABASES["default"]["OPTIONS"] = {
        "pool": {
            "min_size": 1,
            "max_size": env.int("DATABASE_POOL", default=10),
            "timeout": 5,  # seconds; while the database is away nobody waits for half a minute, nor does /readyz
        }
    }

REDIS_URL = env.str("REDIS_URL", default="")
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        # redis-py 8 reads with a 5 s timeout by default, which a subscriber that waits must not have.
        "CONFIG": {
            "hosts": [{"address": REDIS_URL, "socket_timeout": None, "socket_connect_timeout": 2}],
            # Whoever can write to Redis cannot make up an event, nor read those for the staff.
            "symmetric_encryption_keys": [SECRET_KEY],
        },
    }
    if REDIS_URL
    else {"BACKEND": "channels.layers.InMemoryChannelLayer", "CONFIG": {"capacity": 10_000}}
}

# Called after commit with the events, in order; dotted paths, so that imports keep pointing down.
EVENTLOG_SINKS = ["apps.tournaments.realtime.utils.publish", "apps.integrations.wake.wake"]

# What goes on beside the server in each process that serves the site; dotted paths of context managers.
BESIDE_THE_SERVER = [
    "apps.integrations.worker.beside",
    "apps.notifications.worker.beside",
    "apps.tournaments.realtime.vitals.reporting",
]
# Without it, `manage.py deliver --forever` has to run somewhere, or no webhook and nobody gets anything.
DELIVER = env.bool("DELIVER", default=True)
# Networks besides the public internet to which organisers may have events delivered, there over plain http, too.
WEBHOOK_ALLOWED_NETWORKS = [ip_network(network) for network in env.list("WEBHOOK_ALLOWED_NETWORKS", default=[])]

# The key by which push services know this site: 32 bytes in base64url. Empty: one is made at its first use and kept.
VAPID_PRIVATE_KEY = env.str("VAPID_PRIVATE_KEY", default="")
# Whom a push service asks when something is wrong: an https address, or mailto:.
VAPID_CONTACT = env.str("VAPID_CONTACT", default=SITE_URL if SITE_URL.startswith("https://") else "")

# Accounts ------------------------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/"
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = env.str("ACCOUNT_EMAIL_VERIFICATION", default="none")  # "mandatory" where mail is set up
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_USERNAME_MIN_LENGTH = 3
ACCOUNT_USERNAME_BLACKLIST = ["admin", "guest", "system", "staff"]
SIGNUPS_PER_HOUR = env.int("SIGNUPS_PER_HOUR", default=10)  # accounts made from one address, for each process
# A venue is one address: what counts by address is generous, what counts by account is strict.
ACCOUNT_RATE_LIMITS = {
    "account_made": f"{SIGNUPS_PER_HOUR}/h/ip",
    "data_download": "6/h/user",  # each reads the whole log
    "login": "600/m/ip",
    "login_failed": "100/m/ip,5/300s/key",
    "signup": "200/m/ip",
    "reset_password": "100/m/ip,5/m/key",
}
REAUTHENTICATION_SECONDS = 300  # who has no password, and deletes their account, has signed in within so many
ACCOUNT_ADAPTER = "apps.accounts.adapter.AccountAdapter"
ACCOUNT_SIGNUP_FORM_CLASS = "apps.accounts.forms.SignupForm"
SOCIALACCOUNT_ADAPTER = "apps.accounts.social.SocialAdapter"
# A site through which people can sign in is offered when both its values are set.
SOCIALACCOUNT_PROVIDERS = {
    name: {"APP": {"client_id": client_id, "secret": secret}, **more}
    for name, client_id, secret, more in (
        ("discord", env.str("DISCORD_CLIENT_ID", default=""), env.str("DISCORD_CLIENT_SECRET", default=""), {}),
        # Twitch tells no address that it has not verified (dev.twitch.tv, Get Users).
        (
            "twitch",
            env.str("TWITCH_CLIENT_ID", default=""),
            env.str("TWITCH_CLIENT_SECRET", default=""),
            {"VERIFIED_EMAIL": True},
        ),
        ("steam", "steam", env.str("STEAM_API_KEY", default=""), {}),
    )
    if client_id and secret
}
# The user name is public, so it is chosen, and whoever has an account already is told how to use that one.
SOCIALACCOUNT_AUTO_SIGNUP = False
# Whoever finds a screen unlocked must not leave with a way in of their own.
SOCIALACCOUNT_REAUTHENTICATION_REQUIRED = True
EMAIL_TIMEOUT = 10  # seconds
EMAIL_CONFIG = env.email("EMAIL_URL", default="consolemail://")
vars().update(EMAIL_CONFIG)
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="DeltaCrown <webmaster@localhost>")
VAPID_CONTACT = VAPID_CONTACT or f"mailto:{parseaddr(DEFAULT_FROM_EMAIL)[1]}"

HEADLESS_ONLY = False
HEADLESS_CLIENTS = ["app"]
HEADLESS_TOKEN_STRATEGY = "allauth.headless.tokens.strategies.jwt.JWTTokenStrategy"  # noqa: S105 - a path
HEADLESS_JWT_ALGORITHM = "HS256"
# Without it a token outlives sign-out and a blocked account.
HEADLESS_JWT_STATEFUL_VALIDATION_ENABLED = True

# Every process that serves the site does what is due by the clock; without it, `manage.py sweep --forever` has to.
SWEEP = env.bool("SWEEP", default=True)

# Realtime ------------------------------------------------------------------------------------------------------------
JWT_LEEWAY_SECONDS = env.int("JWT_LEEWAY_SECONDS", default=30)
WS_TOKEN_SECONDS = env.int("WS_TOKEN_SECONDS", default=300)
WS_MAX_PAYLOAD_BYTES = env.int("WS_MAX_PAYLOAD_BYTES", default=16_384)
# Limits. A venue's LAN is one address, so what an address may use is generous, and what a person may use is not.
WS_RATE_ENABLED = env.bool("WS_RATE_ENABLED", default=True)
WS_RATE_PROCESSES = env.int("WS_RATE_PROCESSES", default=1)
WS_RATE_REDIS_TIMEOUT = env.float("WS_RATE_REDIS_TIMEOUT", default=0.05)  # seconds a message waits for Redis at most
WS_RATE_HANDSHAKE_RPS_IP = env.float("WS_RATE_HANDSHAKE_RPS_IP", default=100)
WS_RATE_HANDSHAKE_BURST_IP = env.int("WS_RATE_HANDSHAKE_BURST_IP", default=1000)
WS_RATE_CONN_PER_USER = env.int("WS_RATE_CONN_PER_USER", default=10)
WS_RATE_CONN_PER_IP = env.int("WS_RATE_CONN_PER_IP", default=1000)
WS_RATE_ROOM_MAX_MEMBERS = env.int("WS_RATE_ROOM_MAX_MEMBERS", default=100_000)
WS_RATE_MSG_RPS = env.float("WS_RATE_MSG_RPS", default=10)
WS_RATE_MSG_BURST = env.int("WS_RATE_MSG_BURST", default=20)
WS_RATE_MSG_RPS_IP = env.float("WS_RATE_MSG_RPS_IP", default=200)
WS_RATE_MSG_BURST_IP = env.int("WS_RATE_MSG_BURST_IP", default=400)
WS_HEARTBEAT_INTERVAL = env.float("WS_HEARTBEAT_INTERVAL", default=25)
WS_HEARTBEAT_TIMEOUT = env.float("WS_HEARTBEAT_TIMEOUT", default=50)
WS_IO_URING = env.bool("WS_IO_URING", default=True)  # where the kernel allows it; off, sockets are written one by one

# Files and security --------------------------------------------------------------------------------------------------
STATIC_URL = "/static/"
STATIC_ROOT = VAR_DIR / "static"
STATIC_ROOT.mkdir(exist_ok=True)
STATICFILES_DIRS = [("clients", BASE_DIR / "clients" / "js")]  # the pages use the client that others get
WHITENOISE_USE_FINDERS = True  # no collectstatic step before the first start
# Evidence in disputes. No address leads into it: who may see a file is asked each time (apps/api/routers/disputes.py).
MEDIA_ROOT = VAR_DIR / "media"
MEDIA_ROOT.mkdir(mode=0o700, exist_ok=True)
STORAGES = {
    "default": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        # Names are made of contents, so whoever is overwritten wrote the same.
        "OPTIONS": {"allow_overwrite": True, "file_permissions_mode": 0o600, "directory_permissions_mode": 0o700},
    },
    "staticfiles": {"BACKEND": "deltacrown.static.VersionedStorage"},
}
# What `manage.py purge` deletes is older than so many days; 0 keeps it.
RETENTION_EVIDENCE_DAYS = env.int("RETENTION_EVIDENCE_DAYS", default=180)  # after the ruling, or the upload
RETENTION_RECEIPTS_DAYS = env.int("RETENTION_RECEIPTS_DAYS", default=30)  # a command can be sent again for so long
RETENTION_ADMIN_LOG_DAYS = env.int("RETENTION_ADMIN_LOG_DAYS", default=730)  # what administrators did
RETENTION_REPORTS_DAYS = env.int("RETENTION_REPORTS_DAYS", default=365)  # after they were dealt with
# Names or paths of font files that pictures of links try first; docs/operations.md says which are found without it.
SHARE_FONTS = env.list("SHARE_FONTS", default=[])
SESSION_ENGINE = "django.contrib.sessions.backends.db"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = SITE_URL.startswith("https://")
# TLS ends at the proxy, which says so; without this, links in mails would begin with http.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if SITE_URL.startswith("https://") else None
X_FRAME_OPTIONS = "DENY"

METRICS_TOKEN = env.str("METRICS_TOKEN", default="")  # whoever sends it reads /metrics; empty: nobody does

# Logs ----------------------------------------------------------------------------------------------------------------
LOGGING_CONFIG = "deltacrown.logging.configure"
LOG_LEVEL = env.str("LOG_LEVEL", default="INFO")
LOG_JSON = env.bool("LOG_JSON", default=False)
LOGGING = {"level": LOG_LEVEL, "json": LOG_JSON}

"""
The settings of the example. The credentials are in the environment: WHATSAPP_FLOWS_ACCESS_TOKEN and _WABA_ID.

The database is SQLite, or PostgreSQL where CRM_DATABASE names one: "host=127.0.0.1 port=5432 dbname=crm user=crm".
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

BASE_DIR = Path(__file__).resolve().parent.parent

SECRET_KEY = os.environ.get("CRM_SECRET_KEY", "for-the-example-only")
DEBUG = os.environ.get("CRM_DEBUG") == "1"
ALLOWED_HOSTS = ["localhost", "127.0.0.1"]
USE_TZ = True

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "whatsapp_flows.contrib.django",
]

WHATSAPP_FLOWS = {
    "FLOWS": "crm.flows.FLOWS",
    "MAX_ATTEMPTS": 3,
    "RETRY_INITIAL": float(os.environ.get("CRM_RETRY_INITIAL", "5")),  # then twice as long each time
    "RETRY_MULTIPLIER": 2.0,
    "RETRY_MAXIMUM": 60.0,
    "TIMEOUT": 30.0,
}

DATABASES: dict[str, dict[str, Any]] = {
    "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.environ.get("CRM_SQLITE", BASE_DIR / "crm.sqlite3")}
}
if "CRM_DATABASE" in os.environ:
    words = dict(word.split("=", 1) for word in os.environ["CRM_DATABASE"].split())
    DATABASES["default"] = {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": words.pop("dbname"),
        "USER": words.pop("user", ""),
        "PASSWORD": words.pop("password", ""),
        "HOST": words.pop("host", ""),
        "PORT": words.pop("port", ""),
        "OPTIONS": words,
    }

ROOT_URLCONF = "crm.urls"
STATIC_URL = "static/"
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

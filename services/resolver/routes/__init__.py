"""Orders of people who wait, and what they ask before (`http`)."""

from services.resolver.routes.http import create_http

__all__ = ["create_http"]

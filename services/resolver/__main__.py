"""`python -m services.resolver`."""

from services.resolver.app import create_app
from services.resolver.settings import Settings
from shared.process import serve

if __name__ == "__main__":
    serve(create_app, Settings)

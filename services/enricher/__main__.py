"""`python -m services.enricher`."""

from services.enricher.app import create_app
from services.enricher.settings import Settings
from shared.process import serve

if __name__ == "__main__":
    serve(create_app, Settings)

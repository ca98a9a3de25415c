"""`python -m services.indexer`."""

from services.indexer.app import create_app
from services.indexer.settings import Settings
from shared.process import serve

if __name__ == "__main__":
    serve(create_app, Settings)

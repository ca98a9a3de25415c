"""`python -m services.projector`."""

from services.projector.app import create_app
from services.projector.settings import Settings
from shared.process import serve

if __name__ == "__main__":
    serve(create_app, Settings)

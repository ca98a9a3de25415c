"""`python -m services.api`: serve the API until told to stop."""

from services.api.app import create_app
from services.api.settings import Settings
from shared.process import serve

serve(create_app, Settings)

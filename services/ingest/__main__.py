"""`python -m services.ingest`: take signals until told to stop."""

from services.ingest.app import create_app
from services.ingest.settings import Settings
from shared.process import serve

serve(create_app, Settings)

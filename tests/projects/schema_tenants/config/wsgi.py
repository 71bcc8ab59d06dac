"""The entry point for a WSGI server, which must be told the settings: no default here."""

from django.core.wsgi import get_wsgi_application

application = get_wsgi_application()

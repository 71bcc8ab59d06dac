"""No site of its own: only its database is looked at."""

urlpatterns = []

"""The public site."""

from django.http import JsonResponse

from tenants.models import Client


def tenants(request):
    """Say which schema answered and who is served: proof that the host name routes."""
    names = Client.objects.order_by("schema_name").values_list("schema_name", flat=True)
    return JsonResponse({"schema": request.tenant.schema_name, "tenants": list(names)})

"""A tenant's site."""

from django.http import JsonResponse

from plants.models import Plant


def plants(request):
    """Say which schema answered and list its plants: proof that its tables are there."""
    names = Plant.objects.order_by("name").values_list("name", flat=True)
    return JsonResponse({"schema": request.tenant.schema_name, "plants": list(names)})

"""A tenant's site."""

from django.http import JsonResponse

from plants.models import Plant


def plants(request):
    """Say whose host name this is and list their plants, and nobody else's."""
    names = Plant.objects.filter(tenant=request.tenant).order_by("name").values_list("name", flat=True)
    return JsonResponse({"tenant": request.tenant.slug, "plants": list(names)})

"""From a host name to the tenant whose rows the request may see."""

from django.http import Http404

from tenants.models import Domain


class TenantMiddleware:
    """Put the tenant on the request; a host name that is nobody's is not found."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        host = request.get_host().partition(":")[0].lower()
        domain = Domain.objects.select_related("tenant").filter(domain=host).first()
        if domain is None or not domain.tenant.is_active:
            raise Http404(f"No tenant for the host name {host!r}.")
        request.tenant = domain.tenant
        return self.get_response(request)

# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A tenant with a field of every kind that a task may meet, its owner, and its domains. It has no migrations."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models.functions import Upper


class Owner(models.Model):
    email = models.EmailField(unique=True)
    name = models.CharField(max_length=50)
    town = models.CharField(max_length=50, blank=True)


class Tag(models.Model):
    word = models.CharField(max_length=20)


class Tenant(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=20)
    owner = models.ForeignKey(Owner, on_delete=models.CASCADE)
    contact = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL)
    plan = models.CharField(max_length=10, choices=[("basic", "Basic"), ("full", "Full")], default="basic")
    on_trial = models.BooleanField()
    paid_until = models.DateField(null=True, blank=True)
    opened_at = models.DateTimeField(null=True)
    fee = models.DecimalField(max_digits=6, decimal_places=2, default=0)
    seats = models.IntegerField(db_default=5)
    features = models.JSONField(default=dict)
    remark = models.TextField(blank=True)
    tags = models.ManyToManyField(Tag)
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True)
    shout = models.GeneratedField(
        expression=Upper("name"), output_field=models.CharField(max_length=20), db_persist=True
    )


class Domain(models.Model):
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE)
    domain = models.CharField(max_length=253, unique=True)
    is_primary = models.BooleanField(default=False)

#!/bin/sh
# The program as a VM application: an exact file to fill in and read, line by line, not a script that decides for you.
#
# Azure brings the file of a VM application to a machine over its own infrastructure, without a name to resolve and without a
# storage account that the machine has to reach: the surest way where DNS is the question. `SOURCE=vmapp:ampls-doctor` of
# ampls-doctor.sh and `fleet` finds it there by its SHA-256. Nothing runs on a machine because of what follows: the file is put
# there, and the install command does nothing.
#
# https://learn.microsoft.com/azure/virtual-machines/vm-applications-how-to
set -eu

# Capitals are yours to fill in. The gallery's region and those of --target-regions must have the machines in them.
RESOURCE_GROUP=GALLERY_RESOURCE_GROUP
GALLERY=GALLERY_NAME
REGION=REGION_NAME
STORAGE=STORAGE_ACCOUNT_NAME
VERSION=0.1.0
FILE=ampls-doctor-$VERSION-linux-x86_64

# 1. The file in a blob that Azure reads once, for each version; a signature of a day is enough. The account may be deleted afterwards.
az storage container create --account-name "$STORAGE" --name ampls-doctor --auth-mode login
az storage blob upload --account-name "$STORAGE" --container-name ampls-doctor --name "$FILE" --file "$FILE" --auth-mode login
LINK=$(az storage blob generate-sas --account-name "$STORAGE" --container-name ampls-doctor --name "$FILE" --permissions r --expiry "$(date -u -d '+1 day' +%Y-%m-%dT%H:%MZ)" --https-only --auth-mode login --as-user --full-uri -o tsv)

# 2. The application: once.
az sig create --resource-group "$RESOURCE_GROUP" --gallery-name "$GALLERY" --location "$REGION"
az sig gallery-application create --resource-group "$RESOURCE_GROUP" --gallery-name "$GALLERY" --name ampls-doctor --location "$REGION" --os-type Linux

# 3. The version. Azure calls the install command after the file has arrived; the file keeps the name of the application, and
#    `true` leaves it where it is: /var/lib/waagent/Microsoft.CPlat.Core.VMApplicationManagerLinux/ampls-doctor/VERSION/ampls-doctor
az sig gallery-application version create --resource-group "$RESOURCE_GROUP" --gallery-name "$GALLERY" --application-name ampls-doctor --version-name "$VERSION" --location "$REGION" --target-regions "[{name:$REGION}]" --package-file-link "$LINK" --install-command true --remove-command true

# 4. On a machine (a scale set: `az vmss application set --name`). It replaces the machine's list of applications: give all of them.
az vm application list --resource-group VM_RESOURCE_GROUP --name VM_NAME
az vm application set --resource-group VM_RESOURCE_GROUP --name VM_NAME --app-version-ids "$(az sig gallery-application version show --resource-group "$RESOURCE_GROUP" --gallery-name "$GALLERY" --application-name ampls-doctor --version-name "$VERSION" --query id -o tsv)"

# 5. Look: on one machine, or on many with `fleet`.
az vm run-command invoke -g VM_RESOURCE_GROUP -n VM_NAME --command-id RunShellScript --scripts "@ampls-doctor.sh" --parameters SOURCE=vmapp:ampls-doctor "SHA256=$(sha256sum "$FILE" | cut -c 1-64)"

# Undo: the list without it, then the version, the application and the gallery.
#   az vm application set --resource-group VM_RESOURCE_GROUP --name VM_NAME --app-version-ids
#   az sig gallery-application version delete --resource-group "$RESOURCE_GROUP" --gallery-name "$GALLERY" --application-name ampls-doctor --version-name "$VERSION"
#   az sig gallery-application delete --resource-group "$RESOURCE_GROUP" --gallery-name "$GALLERY" --name ampls-doctor

#!/usr/bin/env bash
# Makes the example driver ready to run:
#
#     deploy/examples/python-driver/setup.sh FOLDER
#
# In FOLDER: a Python environment, the stubs generated from driver.proto, and the program skep-driver-simcloud.
# Called again, it does only what has changed.

set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
protos=$(cd "$here/../../../proto" && pwd)
folder=${1:?usage: setup.sh FOLDER}
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)

if ! cmp -s "$here/requirements.txt" "$folder/requirements.txt"; then
    python3 -m venv --clear "$folder/venv"
    "$folder/venv/bin/pip" install --quiet --requirement "$here/requirements.txt"
    # Last: with it everything it names is there.
    cp "$here/requirements.txt" "$folder/requirements.txt"
fi

mkdir -p "$folder/stubs"
"$folder/venv/bin/python" -m grpc_tools.protoc --proto_path="$protos" \
    --python_out="$folder/stubs" --grpc_python_out="$folder/stubs" "$protos/skep/driver/v1/driver.proto"

cat >"$folder/skep-driver-simcloud.new" <<PROGRAM
#!/bin/sh
PYTHONPATH='$folder/stubs:$here' PYTHONPYCACHEPREFIX='$folder/cache' exec '$folder/venv/bin/python' -m simcloud "\$@"
PROGRAM
chmod 755 "$folder/skep-driver-simcloud.new"
mv "$folder/skep-driver-simcloud.new" "$folder/skep-driver-simcloud"
echo "$folder/skep-driver-simcloud"

#!/bin/sh
# Proves that the .proto files are enough: makes Python stubs from them in a temporary folder and runs
# python-client.py against a server.
#
# Usage: test/live/python-client.sh HOST:PORT
# Needs Debian's python3-grpcio and python3-grpc-tools (or PYTHON=some python that has grpcio-tools).
set -eu

address="$1"
here="$(cd "$(dirname "$0")" && pwd)"
proto="$here/../../proto"
python="${PYTHON:-/usr/bin/python3}"

stubs="$(mktemp -d)"
trap 'rm -rf "$stubs"' EXIT
"$python" -m grpc_tools.protoc -I "$proto" --python_out="$stubs" --grpc_python_out="$stubs" \
  "$proto/evenkeel/v1/ledger.proto" "$proto/evenkeel/v1/cluster.proto"
"$python" "$here/python-client.py" "$address" "$stubs"

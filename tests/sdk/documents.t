#!/bin/bash
# documents.t: create, findByID, update and delete of the SDK.
. tests/sdk/sdk.bash
sdk_test documents

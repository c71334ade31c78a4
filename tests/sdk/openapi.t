#!/bin/bash
# openapi.t: the description of the API is true.
. tests/sdk/sdk.bash
sdk_test openapi

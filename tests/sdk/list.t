#!/bin/bash
# list.t: the SDK's find and count.
. tests/sdk/sdk.bash
sdk_test list

#!/bin/bash
# media.t: the SDK sends files.
. tests/sdk/sdk.bash
sdk_test media

#!/bin/bash
# users.t: the SDK's login, me and refreshToken.
. tests/sdk/sdk.bash
sdk_test users

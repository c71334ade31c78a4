#!/bin/bash
# jobs.t: the jobs endpoints by plain fetch.
. tests/sdk/sdk.bash
sdk_test jobs

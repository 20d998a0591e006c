"""AWS on one machine: real engines behind the AWS APIs that the product speaks to.

`python -m local_aws up` starts them, `down` stops them. The product knows nothing of this package;
this package knows the product only through infra/ and paths.
"""

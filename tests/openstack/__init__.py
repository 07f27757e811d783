"""The real OpenStack of Debian 12, and what xha-check reports about it under faults: `make test-openstack`.

    with claim() as net, Cloud(net, unpacked()) as cloud:
        try_faults(cloud, FAULTS)

This is a test of its own. `make test` does not collect it, because it fetches 350 packages and takes a quarter of an
hour. The packages are unpacked below build/openstack and never installed. All daemons run on one claimed loopback
network and end with it. When all faults were tried, the results are written to docs/services-openstack.md.

packages.py fetches, settings.py writes the services' files, programs.py has the daemons, cloud.py starts them,
faults.py breaks them, looking.py runs xha-check, trial.py combines faults and looks, expected.py has the right results,
page.py writes the document.
"""

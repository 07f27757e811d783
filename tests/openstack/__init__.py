"""The real OpenStack of Debian 12, and what xha-check says of it under faults: `make test-openstack`.

    with claim() as net, Cloud(net, unpacked()) as cloud:
        try_faults(cloud, FAULTS)

A test of its own: `make test` does not collect it, for it fetches 350 packages and takes a quarter of an hour. They are
unpacked below build/openstack, never installed; all daemons run on one claimed loopback network and end with it. What
was seen is written to docs/services-openstack.md, when all faults were tried.

packages.py fetches, settings.py writes the services' files, programs.py has the daemons, cloud.py starts them,
faults.py breaks them, looking.py asks xha-check, trial.py does the one during the other, expected.py has what must
hold, page.py writes the document.
"""

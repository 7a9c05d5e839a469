"""midonet-lab: a whole MidoNet cloud on one machine, in network namespaces.

Hosts and machines are namespaces, the underlay is a Linux bridge in a namespace of its own, and the
programs (`midonet-api`, one `midolman` per host) are the real ones. Used by the `midonet-lab` command, the
demo, and the system tests in `tests/topology`, which drive `lab.Lab` as a library.
"""

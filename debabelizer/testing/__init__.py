"""For testing applications and providers, without a network, a key, or a wait.

=============================  ==========================================================================
`debabelizer.testing.coded`    audio that says which word it is, so that loss and repetition can be counted
`debabelizer.testing.script`   where a simulated service has its words from: the audio, or a script
`debabelizer.testing.soniox`   a Soniox service on loopback, with every fault on demand
`debabelizer.testing.proxy`    a TCP proxy that cuts, stalls, swallows and garbles
`...testing.virtual_time`      an event loop on which an hour passes in a moment
`debabelizer.testing.kit`      the conformance kit: every promise of a provider, tested
=============================  ==========================================================================
"""

"""A host with Debian's Postfix and postfix-mta-sts-resolver for `tlsrpt check`."""

import shutil

from harness import certificates, checked_postfix, mta_sts
from harness.scenario import Problem


class StsHost(checked_postfix.PostfixHost):
    """It asks the resolver for the policies of domains, with the attributes of TLSRPT."""

    options = ["--postfix", "--sts-domain", mta_sts.DOMAIN]
    kept = checked_postfix.PostfixHost.kept + (mta_sts.CONFIGURATION,)

    def __init__(self, program, root, library, network_arguments):
        super().__init__(program, root, library, network_arguments, smtp_tls_policy_maps=mta_sts.MAP)
        mta_sts.publish(self.network)
        shutil.copyfile(self.network.certificate(certificates.AUTHORITY) + ".pem", self.path(mta_sts.AUTHORITY))
        self.write(mta_sts.CONFIGURATION, mta_sts.TEXT)
        self.resolver = mta_sts.Resolver(self.root)
        self.resolver.start()
        # Without a policy, `tlsrpt check` looks at the configuration of the resolver alone.
        answer = self.mta.run(*mta_sts.ASK, mta_sts.MAP, check=False)
        if mta_sts.ANSWER not in answer:
            raise Problem("the resolver does not find the policy of %s: %s" % (mta_sts.DOMAIN, answer))
        self.keep()

    def serve(self, verb, unit):
        if unit == mta_sts.UNIT:
            self.resolver.stop()
            self.resolver.start()
        else:
            super().serve(verb, unit)

    def restore_server(self, changed):
        super().restore_server(changed)
        self.serve("restart", mta_sts.UNIT)

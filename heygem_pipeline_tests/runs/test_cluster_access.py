"""What is said of a broker that cannot be used."""

import pytest

from heygem_pipeline.errors import ClusterUnusable
from heygem_pipeline.runs.cluster_access import require_broker


def test_options_for_tls_in_an_address_without_tls_are_told_in_a_sentence() -> None:
    pytest.importorskip("redis", reason="the extra cluster is not installed")
    with pytest.raises(ClusterUnusable, match="rediss://"):
        require_broker("redis://:word@127.0.0.1:1/0?ssl_cert_reqs=required&ssl_ca_certs=/authority.pem")

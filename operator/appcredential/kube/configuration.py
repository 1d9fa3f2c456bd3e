"""How to reach the API server: by a kubeconfig, or from the pod."""

from __future__ import annotations

from kubernetes.aio import client, config

from appcredential.errors import UnusableKubeconfigError
from appcredential.transport import UNCOMPRESSED, BoundedResponse, environment_proxy

# What the client raises about a file of another shape, in place of an error of its own. What is no
# YAML raises a `yaml.YAMLError`, which goes through.
_MALFORMED = (AttributeError, KeyError, TypeError, ValueError)


async def load_configuration(
    kubeconfig: str, response: type[BoundedResponse]
) -> client.Configuration:
    """Return the client's configuration.

    Args:
        kubeconfig: a file; empty for the pod's own token.
        response: reads the answers.

    Raises:
        UnusableKubeconfigError: the file cannot be used, or this is no pod with a token.
    """
    configuration = client.Configuration()
    configuration.retries = None
    try:
        if kubeconfig:
            await config.load_kube_config(kubeconfig, client_configuration=configuration)
        else:
            config.load_incluster_config(client_configuration=configuration)
    except (config.ConfigException, OSError, *_MALFORMED) as exc:
        raise UnusableKubeconfigError("There is no usable kubeconfig, nor a pod's token.") from exc
    if not configuration.proxy:  # of the kubeconfig
        proxy = environment_proxy(configuration.host)
        configuration.proxy, configuration.proxy_headers = proxy.url, dict(proxy.headers)
    configuration.client_session_kwargs = {
        "trust_env": False,
        "response_class": response,
        "auto_decompress": False,
        "headers": UNCOMPRESSED,
    }
    return configuration

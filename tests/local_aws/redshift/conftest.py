"""Temporary."""

import pytest, threading


@pytest.fixture(scope="session")
def control_plane(settings, postgres, seaweedfs):
    from local_aws.control_plane import ControlPlane, serve
    from local_aws.redshift import redshift_services
    from local_aws.state import State

    state = State(settings.home / "state.sqlite")
    application = ControlPlane(settings, state, redshift_services(settings, state))
    server = serve(application)
    application.start()
    thread = threading.Thread(target=server.serve_forever, name="control plane")
    thread.start()
    yield application
    server.shutdown()
    thread.join()
    server.server_close()
    application.stop()
    state.close()

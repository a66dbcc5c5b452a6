"""What programs say when they fail, and what the user reads."""

import pytest
from train_lora_webui.setup.failure import SENTENCES, Failure, failure_of_os_error, recognise_failure

OTHERWISE = Failure("packages_failed", "npm could not install the server's packages.")

SAID = [
    ("no_internet", "npm error code ENOTFOUND\nnpm error network request to https://r/lit failed, reason: getaddrinfo"),
    ("no_internet", "npm error code EAI_AGAIN"),
    ("no_internet", "npm error code ECONNREFUSED\nnpm error FetchError: request failed, reason: connect ECONNREFUSED"),
    ("no_internet", "npm ERR! code ETIMEDOUT"),
    (
        "no_internet",
        "WARNING: Retrying (Retry(total=0)) after connection broken by 'NewConnectionError(...: [Errno -3] Temporary "
        "failure in name resolution)': /simple/x/\nERROR: No matching distribution found for x==1",
    ),
    ("no_internet", "error: Failed to fetch: `https://x`\n  Caused by: dns error: failed to lookup address"),
    ("proxy_refused", "OSError: Tunnel connection failed: 407 Proxy Authentication Required"),
    ("proxy_refused", "npm error code E407"),
    ("certificate", "npm error code SELF_SIGNED_CERT_IN_CHAIN"),
    ("certificate", "npm error code UNABLE_TO_GET_ISSUER_CERT_LOCALLY"),
    (
        "certificate",
        "SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed'))",
    ),
    ("disk_full", "npm error code ENOSPC\nnpm error nospc There appears to be insufficient space"),
    ("disk_full", "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device"),
    ("disk_full", "OSError: [WinError 112] There is not enough space on the disk"),
    ("permission_denied", "npm error code EACCES\nnpm error path /srv/x/node_modules"),
    ("permission_denied", "PermissionError: [Errno 13] Permission denied: '/srv/home/node'"),
    ("permission_denied", "npm error code EPERM\nnpm error syscall unlink"),
    ("files_in_use", "npm error code EBUSY\nnpm error syscall rename"),
    ("not_offered", "ERROR: Could not find a version that satisfies the requirement x==1 (from versions: 0.9)"),
    ("not_offered", "npm error code ETARGET\nnpm error notarget No matching version found for lit@9"),
    ("registry_refused", "npm error code E403\nnpm error 403 403 Forbidden - GET"),
]


@pytest.mark.parametrize(("code", "said"), SAID)
def test_the_reason_is_read_from_the_last_lines(code: str, said: str) -> None:
    failure = recognise_failure(1, said.splitlines(), OTHERWISE)
    assert failure.code == code
    assert failure.details == said
    assert "Try again" in failure.message


def test_what_npm_names_as_the_code_wins_over_its_warnings() -> None:
    said = ["npm warn cleanup [Error: EPERM: operation not permitted, rmdir]", "npm error code ENOTFOUND"]
    assert recognise_failure(1, said, OTHERWISE).code == "no_internet"


def test_numbers_in_names_and_times_are_no_proxy_error() -> None:
    said = ["npm http fetch GET 407 https://r/x 3ms", "npm http fetch GET 200 https://r/x-1.0.407.tgz 407ms", "odd"]
    failure = recognise_failure(1, said, OTHERWISE)
    assert (failure.code, failure.details) == ("packages_failed", "odd")


@pytest.mark.parametrize("code", [-9, 137])
def test_a_program_that_was_killed_is_no_riddle(code: int) -> None:
    assert recognise_failure(code, ["fetched x"], OTHERWISE).message == SENTENCES["killed"]


def test_a_folder_without_the_right_to_write_is_named() -> None:
    failure = failure_of_os_error(PermissionError(13, "Permission denied", "/srv/home"))
    assert (failure.code, failure.message[:9]) == ("permission_denied", "/srv/home")


def test_what_nobody_knows_keeps_the_steps_own_sentence() -> None:
    assert recognise_failure(1, ["something odd"], OTHERWISE).message == OTHERWISE.message

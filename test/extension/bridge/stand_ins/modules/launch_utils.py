# The signatures are those of the WebUI.
def git_tag() -> str:
    return "v1.10.1"

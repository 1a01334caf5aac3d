"""Judges what the examples say in YAML, and takes the configuration out of it.

Usage: examples.py FOLDER TARGET, where FOLDER is `examples` and the files of the ConfigMap are written to TARGET.
"""

import pathlib
import re
import sys

import compose_spec
import yaml


def main() -> None:
    folder, target = (pathlib.Path(argument) for argument in sys.argv[1:3])
    compose = yaml.safe_load((folder / "compose/compose.yaml").read_text())
    # Written anew, because the model takes no merge keys.
    judged = compose_spec.PyCompose.from_yaml(yaml.safe_dump(compose))
    judged.validate()
    gateways = [name for name in judged.service_names() if name.startswith("gateway")]
    if len(gateways) < 2:
        sys.exit(f"compose.yaml has the gateways {gateways}, and there should be two")
    addresses = {compose["services"][name]["networks"]["front"]["ipv4_address"] for name in gateways}
    asked = set(re.findall(r"server ([\d.]+):8400", (folder / "compose/nginx.conf").read_text()))
    if asked != addresses:
        sys.exit(f"nginx.conf asks {sorted(asked)}, and compose.yaml gives the gateways {sorted(addresses)}")
    config_map = yaml.safe_load((folder / "kubernetes/configmap.yaml").read_text())
    for name, text in config_map["data"].items():
        (target / name).write_text(text)
    pod = yaml.safe_load((folder / "kubernetes/deployment.yaml").read_text())["spec"]["template"]["spec"]
    pause = pod["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"]
    print(pod["terminationGracePeriodSeconds"] - pause)


if __name__ == "__main__":
    main()

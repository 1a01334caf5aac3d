"""Judges what the examples say in YAML, and takes the configuration out of it.

Usage: examples.py FOLDER TARGET, where FOLDER is `examples` and the files of the ConfigMap are written to TARGET.
"""

import pathlib
import sys

import compose_spec
import yaml


def main() -> None:
    folder, target = (pathlib.Path(argument) for argument in sys.argv[1:3])
    compose = (folder / "compose/compose.yaml").read_text()
    judged = compose_spec.PyCompose.from_yaml(compose)
    judged.validate()
    gateways = [name for name in judged.service_names() if name.startswith("gateway")]
    if len(gateways) < 2:
        sys.exit(f"compose.yaml has the gateways {gateways}, and there should be two")
    config_map = yaml.safe_load((folder / "kubernetes/configmap.yaml").read_text())
    for name, text in config_map["data"].items():
        (target / name).write_text(text)
    pod = yaml.safe_load((folder / "kubernetes/deployment.yaml").read_text())["spec"]["template"]["spec"]
    pause = pod["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"]
    print(pod["terminationGracePeriodSeconds"] - pause)


if __name__ == "__main__":
    main()

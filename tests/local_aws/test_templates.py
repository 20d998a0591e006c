"""Templates are resolved as CloudFormation does it; resources are made by a function of the test."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from local_aws.infrastructure.templates import Resource, Stack, TemplateError


class Made:
    """Collects what a stack makes: logical id -> properties, in the order of making."""

    def __init__(self) -> None:
        self.properties: dict[str, dict[str, Any]] = {}

    def __call__(self, stack: Stack, logical_id: str, kind: str, properties: dict[str, Any]) -> Resource:
        self.properties[logical_id] = properties
        return Resource(f"the-{logical_id}", {"Arn": f"arn:x:{logical_id}", "Endpoint.Port": 5439})


def stack(tmp_path: Path, text: str, parameters: dict[str, Any] | None = None, region: str = "eu-west-1") -> Any:
    path = tmp_path / "main.yaml"
    path.write_text(text)
    made = Made()
    result = Stack("metering", path, parameters or {}, region, "123456789012", made)
    result.make_all()
    return result, made.properties


def test_references_and_functions_are_resolved(tmp_path: Path) -> None:
    _, made = stack(
        tmp_path,
        """
Parameters:
  Name: {Type: String, Default: clean}
  Size: {Type: Number, Default: 2}
Mappings:
  Fleet:
    1-50000: {Workers: 10}
Resources:
  Bucket:
    Type: A::B::C
    Properties:
      Name: !Sub ${Name}-${AWS::AccountId}-${AWS::Region}
      Arn: !Sub "${Other.Arn}/*"
      Joined: !Join ["-", [a, !Ref Size]]
      Picked: !Select [1, !Split [",", "x,y"]]
      Workers: !FindInMap [Fleet, 1-50000, Workers]
      Port: {Fn::GetAtt: [Other, Endpoint.Port]}
      Literal: !Sub "${!NotThis}"
      With: !Sub ["${A}-${Name}", {A: !Ref Other}]
      Version: "2012-10-17"
  Other:
    Type: A::B::D
""",
        {"Name": "landing"},
    )
    assert list(made) == ["Other", "Bucket"], "what is referred to is made first"
    assert made["Bucket"] == {
        "Name": "landing-123456789012-eu-west-1",
        "Arn": "arn:x:Other/*",
        "Joined": "a-2",
        "Picked": "y",
        "Workers": 10,
        "Port": 5439,
        "Literal": "${NotThis}",
        "With": "the-Other-landing",
        "Version": "2012-10-17",
    }


CONDITIONS = """
Parameters:
  Vpc: {Type: String, Default: ""}
  Kind: {Type: String, Default: small}
Conditions:
  New: !Equals [!Ref Vpc, ""]
  NewAndLarge: !And [!Condition New, !Not [!Equals [!Ref Kind, small]]]
Resources:
  Made: {Type: A::B::C, Condition: New}
  Never: {Type: A::B::C, Condition: NewAndLarge}
  Chosen:
    Type: A::B::C
    Properties:
      Vpc: !If [New, !Ref Made, !Ref Vpc]
      Nothing: !If [New, !Ref AWS::NoValue, x]
      List: [a, !If [New, !Ref AWS::NoValue, b]]
Outputs:
  Shown: {Value: !Ref Chosen}
  Hidden: {Value: !Ref Never, Condition: NewAndLarge}
"""


def test_conditions_choose_resources_values_and_outputs(tmp_path: Path) -> None:
    result, made = stack(tmp_path, CONDITIONS)
    assert made == {"Made": {}, "Chosen": {"Vpc": "the-Made", "List": ["a"]}}
    assert result.outputs() == {"Shown": "the-Chosen"}

    _, made = stack(tmp_path, CONDITIONS, {"Vpc": "vpc-1"})
    assert made == {"Chosen": {"Vpc": "vpc-1", "Nothing": "x", "List": ["a", "b"]}}


def test_a_list_parameter_is_split_also_when_it_is_the_default(tmp_path: Path) -> None:
    text = """
Parameters:
  Origins: {Type: CommaDelimitedList, Default: "https://a,https://b"}
  Zones: {Type: "List<AWS::EC2::AvailabilityZone::Name>"}
Resources:
  Api: {Type: A::B::C, Properties: {Origins: !Ref Origins, Zones: !Join ["|", !Ref Zones]}}
"""
    _, made = stack(tmp_path, text, {"Zones": "1a,1b"})
    assert made["Api"] == {"Origins": ["https://a", "https://b"], "Zones": "1a|1b"}


def test_a_nested_stack_gets_parameters_and_gives_outputs(tmp_path: Path) -> None:
    (tmp_path / "storage.yaml").write_text("""
Parameters: {Zone: {Type: String}, Origins: {Type: CommaDelimitedList}}
Resources: {Bucket: {Type: A::B::C, Properties: {Name: !Ref Zone, Origins: !Ref Origins}}}
Outputs: {BucketName: {Value: !Ref Bucket}}
""")
    result, made = stack(
        tmp_path,
        """
Parameters: {Artefacts: {Type: String, Default: b}}
Resources:
  Job:
    Type: A::B::C
    Properties: {Bucket: {Fn::GetAtt: [Storage, Outputs.BucketName]}}
  Storage:
    Type: AWS::CloudFormation::Stack
    Properties:
      TemplateURL: !Sub https://${Artefacts}.s3.${AWS::Region}.${AWS::URLSuffix}/prefix/infra/storage.yaml
      Parameters: {Zone: clean, Origins: !Join [",", [x, y]]}
Outputs: {Name: {Value: {Fn::GetAtt: [Storage, Outputs.BucketName]}}}
""",
    )
    assert made == {"Bucket": {"Name": "clean", "Origins": ["x", "y"]}, "Job": {"Bucket": "the-Bucket"}}
    assert result.outputs() == {"Name": "the-Bucket"}


def test_the_china_regions_have_their_own_partition_and_suffix(tmp_path: Path) -> None:
    text = "Resources: {R: {Type: A::B::C, Properties: {P: !Sub '${AWS::Partition} ${AWS::URLSuffix}'}}}"
    assert stack(tmp_path, text, region="cn-north-1")[1]["R"] == {"P": "aws-cn amazonaws.com.cn"}
    assert stack(tmp_path, text)[1]["R"] == {"P": "aws amazonaws.com"}


def test_depends_on_is_kept(tmp_path: Path) -> None:
    _, made = stack(tmp_path, "Resources: {A: {Type: x, DependsOn: [C]}, B: {Type: x}, C: {Type: x, DependsOn: B}}")
    assert list(made) == ["B", "C", "A"]


@pytest.mark.parametrize(
    ("text", "parameters", "message"),
    [
        ("Resources: {A: {Type: x, Properties: {P: !Ref Nothing}}}", {}, "refers to Nothing, which it does not define"),
        ("Resources: {A: {Type: x, Properties: {P: !GetAtt No.Arn}}}", {}, "undefined resource No"),
        ("Resources: {A: {Type: x, Properties: {P: !GetAtt B.Size}}, B: {Type: x}}", {}, "the-B has no attribute Size"),
        (
            "Resources: {A: {Type: x, Properties: {P: !Ref B}}, B: {Type: x, Properties: {P: !Ref A}}}",
            {},
            "circular reference A -> B -> A",
        ),
        ("Parameters: {P: {Type: String}}\nResources: {A: {Type: x}}", {}, "needs a value.*P"),
        ("Resources: {A: {Type: x}}", {"Q": "1"}, "has no parameter Q"),
        ("Resources: {A: {Type: x, Properties: {P: !Select [3, [a]]}}}", {}, "A: an intrinsic function cannot be"),
        ("Resources: [", {}, "no valid YAML"),
        ("Description: nothing", {}, "has no Resources"),
        (
            "Resources: {A: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: x/no.yaml}}}",
            {},
            "there is no template .*no.yaml",
        ),
    ],
)
def test_a_template_that_cannot_be_carried_out_says_why(
    tmp_path: Path, text: str, parameters: dict[str, str], message: str
) -> None:
    with pytest.raises(TemplateError, match=message):
        stack(tmp_path, text, parameters)

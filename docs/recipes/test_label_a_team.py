"""Label a team: what OTEL_RESOURCE_ATTRIBUTES says stands in the resource of every item."""

from pytest_cc_otel import Say


def test_every_item_names_its_team(claude):
    session = claude(
        script=[Say("Hello.")],
        env={"OTEL_RESOURCE_ATTRIBUTES": "team.id=platform,cost_center=eng-123"},
    )
    items = [*session.data_points(), *session.events()]
    assert items
    for item in items:
        assert item.resource.attributes["team.id"] == "platform"
        assert item.resource.attributes["cost_center"] == "eng-123"

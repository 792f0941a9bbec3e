"""Expressions of deployment templates: what they come to, and why some come to nothing."""

import json
from typing import Any

import pytest

from shared.contracts.upgrading.evaluation import Scope
from shared.contracts.upgrading.parts import Context, Unevaluable

GROUP = "/subscriptions/sub-1/resourceGroups/images"
HERE = Context("sub-1", "images", "westeurope")
TEMPLATE = {
    "parameters": {
        "name": {"type": "string", "defaultValue": "web"},
        "Size": {"type": "int"},
        "wide": {"type": "object", "defaultValue": {"Region": {"names": ["a", "b"]}}},
        "upper": {"type": "string", "defaultValue": "[toUpper(parameters('name'))]"},
        "key": {"type": "secureString", "defaultValue": ""},
        "vault": {"type": "string"},
        "wrong": {"type": "int", "defaultValue": "7"},
        "flagged": {"type": "int", "defaultValue": True},
        "few": {"type": "string", "defaultValue": "c", "allowedValues": ["a", "b"]},
        "none": {"type": "string"},
        "same": {"type": "string", "defaultValue": "[parameters('same')]"},
    },
    "variables": {
        "escaped": "[[not computed]",
        "nested": {"[concat('k', '1')]": ["[parameters('name')]", {"deep": "[variables('one')]"}]},
        "one": 1,
        "loop": "[variables('pool')]",
        "pool": "[variables('loop')]",
        "many": {"copy": [{"name": "x", "count": 3, "input": "y"}]},
        "b0": "0123456789",
        **{f"b{at}": f"[concat(variables('b{at - 1}'), variables('b{at - 1}'))]" for at in range(1, 41)},
        "l0": ["x"],
        **{f"l{at}": f"[createArray(variables('l{at - 1}'), variables('l{at - 1}'))]" for at in range(1, 41)},
    },
}
GIVEN = {"size": {"value": 30}, "vault": {"reference": {"keyVault": {"id": "x"}, "secretName": "y"}}}


def value(expression: str, context: Context = HERE) -> Any:
    return Scope(TEMPLATE, GIVEN, context).value(f"[{expression}]")


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("'it''s'", "it's"),
        ("-5", -5),
        (" concat ( 'a' , 'b' ) ", "ab"),
        ("CONCAT('a', 1, true())", "a1True"),
        ("concat(createArray(1), createArray(2, 3))", [1, 2, 3]),
        ("parameters('name')", "web"),
        ("parameters('SIZE')", 30),
        ("parameters('upper')", "WEB"),
        ("parameters('wide').region.names[1]", "b"),
        ("parameters('wide')['Region']['names'][0]", "a"),
        ("variables('escaped')", "[not computed]"),
        ("variables('nested')", {"k1": ["web", {"deep": 1}]}),
        ("variables('nested').k1[1].deep", 1),
        ("if(equals(parameters('name'), 'web'), 'yes', parameters('none'))", "yes"),
        ("if(not(true()), parameters('none'), 'no')", "no"),
        ("and(true(), bool('True'), equals(1, 1))", True),
        ("and(true(), false())", False),
        ("or(false(), bool(1))", True),
        ("or(false(), false())", False),
        ("equals('A', 'a')", False),
        ("equals(1, true())", False),
        ("equals(createArray(1), createArray(1))", True),
        ("format('{0}-{1}{{0}}', 'a', 7)", "a-7{0}"),
        ("toLower('AbC')", "abc"),
        ("replace('a-b-c', '-', '')", "abc"),
        ("split('a,b;c', createArray(',', ';'))", ["a", "b", "c"]),
        ("split('a/b', '/')[1]", "b"),
        ("join(createArray('a', 1), '-')", "a-1"),
        ("json('{\"a\": [1, null]}').a[0]", 1),
        ("string(createObject('a', 1, 'b', createArray(true(), null())))", '{"a":1,"b":[true,null]}'),
        ("string(5)", "5"),
        ("int('42')", 42),
        ("array('x')", ["x"]),
        ("union(createArray(1, 2), createArray(2, 3))", [1, 2, 3]),
        ("union(json('{\"a\": {\"x\": 1}}'), json('{\"a\": {\"y\": 2}}'))", {"a": {"x": 1, "y": 2}}),
        ("first('abc')", "a"),
        ("last(createArray(1, 2))", 2),
        ("last('')", ""),
        ("length('abc')", 3),
        ("length(parameters('wide'))", 1),
        ("contains('abc', 'bc')", True),
        ("contains(parameters('wide'), 'REGION')", True),
        ("contains(createArray('a'), 'b')", False),
        ("empty('')", True),
        ("empty(createArray(1))", False),
        ("substring('abcdef', 1, 3)", "bcd"),
        ("substring('abcdef', 4)", "ef"),
        ("take('abcdef', 2)", "ab"),
        ("take(createArray(1, 2, 3), 9)", [1, 2, 3]),
        ("skip('abcdef', 4)", "ef"),
        ("trim('  a b ')", "a b"),
        ("indexOf('abCabc', 'c')", 2),
        ("lastIndexOf('abcabc', 'B')", 4),
        ("indexOf('abc', 'x')", -1),
        ("startsWith('Abc', 'aB')", True),
        ("endsWith('abc', 'BC')", True),
        ("add(2, 3)", 5),
        ("sub(2, 3)", -1),
        ("mul(4, 5)", 20),
        ("div(-7, 2)", -3),
        ("mod(-7, 2)", -1),
        ("min(createArray(3, 1, 2))", 1),
        ("max(3, 1)", 3),
        ("less(1, 2)", True),
        ("lessOrEquals('b', 'a')", False),
        ("greater('b', 'a')", True),
        ("greaterOrEquals(2, 2)", True),
        ("coalesce(null(), json('null'), 'x')", "x"),
        ("base64('one')", "b25l"),
        ("uriComponent('a b/c')", "a%20b%2Fc"),
        ("uri('https://x.org/a/', '/b.sh')", "https://x.org/a/b.sh"),
        ("uri('https://x.org/a/old.sh', 'b.sh')", "https://x.org/a/b.sh"),
        ("uri('https://x.org', 'b.sh')", "https://x.org/b.sh"),
        ("subscription().subscriptionId", "sub-1"),
        ("subscription().id", "/subscriptions/sub-1"),
        ("resourceGroup().NAME", "images"),
        ("resourceGroup().location", "westeurope"),
        ("resourceGroup().id", GROUP),
        ("resourceId('Microsoft.Compute/images', 'a')", f"{GROUP}/providers/Microsoft.Compute/images/a"),
        ("resourceId('other', 'Microsoft.Compute/galleries/images', 'g', 'i')",
         "/subscriptions/sub-1/resourceGroups/other/providers/Microsoft.Compute/galleries/g/images/i"),
        ("resourceId('sub-2', 'other', 'Microsoft.Compute/images', 'a')",
         "/subscriptions/sub-2/resourceGroups/other/providers/Microsoft.Compute/images/a"),
        ("subscriptionResourceId('Microsoft.Resources/resourceGroups', 'a')",
         "/subscriptions/sub-1/providers/Microsoft.Resources/resourceGroups/a"),
        ("subscriptionResourceId('sub-2', 'A.B/c', 'd')", "/subscriptions/sub-2/providers/A.B/c/d"),
        ("tenantResourceId('A.B/c', 'd')", "/providers/A.B/c/d"),
        ("extensionResourceId(resourceGroup().id, 'A.B/c', 'd')", f"{GROUP}/providers/A.B/c/d"),
    ],
)  # fmt: skip
def test_an_expression_comes_to_what_a_deployment_would_make_of_it(expression: str, said: object) -> None:
    found = value(expression)
    assert (found, type(found)) == (said, type(said))


UNREAD = "an expression that cannot be read at"
START = "expected a function, a text in single quotes or a number"
NO_VALUE = "expected a defaultValue, or a value in the parameter file (NAME.parameters.json)"
FIXED = "write a fixed value in its place"
AZURE = "can be answered by Azure alone; write the value in its place"
DEEP = "nested more than 60 deep"
TYPE = "expected a type such as Microsoft.Compute/images, and a name for each part after its first"


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("", f"{UNREAD} its end; {START}"),
        ("concat('a', ", f"{UNREAD} its end; {START}"),
        ("concat('a' 'b')", f'{UNREAD} "\'" in column 13; expected ,'),
        ("concat('a'", f"{UNREAD} its end; expected ,"),
        ("'a", f'{UNREAD} "\'" in column 2; expected a single quote that ends the text'),
        ("1 2", f"{UNREAD} '2' in column 4; expected the end of the expression"),
        ("concat('a').5", f"{UNREAD} '5' in column 14; expected the name of a member"),
        ("-", f"{UNREAD} its end; expected a whole number"),
        ("concat", f"{UNREAD} its end; expected ("),
        ("not(" * 80 + "true()" + ")" * 80, DEEP),
        pytest.param(f"concat('{'x' * 30_000}')",
                     "an expression of 30,012 characters; expected at most 24,576", id="long"),
        ("concatt('a')", "concatt() is not known; did you mean concat?"),
        ("my.own('a')", "my.own() is not known"),
        ("map(createArray(1), lambda('x', 1))", "lambda() is not known"),
        ("parameters('none')", f"parameter none has no value; {NO_VALUE}"),
        ("parameters('nam')", "parameter nam is not declared; did you mean name?"),
        ("parameters('key')", "parameter key is a secureString; template files hold no secrets"),
        ("parameters('vault')", "parameter vault is kept in a key vault; template files hold no secrets"),
        ("parameters('wrong')", "parameter wrong is text; expected int, as declared"),
        ("parameters('flagged')", "parameter flagged is true or false; expected int, as declared"),
        ("parameters('few')", 'parameter few is "c"; expected one of ["a", "b"]'),
        ("parameters('same')", "parameter same refers to itself"),
        ("parameters()", "parameters() with 0 argument(s); expected 1"),
        ("variables('loop')", "variable loop refers to itself"),
        ("variables('nestd')", "variable nestd is not declared; did you mean nested?"),
        ("variables('many')", "a copy loop; write its elements one by one"),
        ("variables('b15')", "a value of more than 100,000 characters, or nested more than 60 deep"),
        ("variables('l14')", "a value of more than 100,000 characters, or nested more than 60 deep"),
        ("replace(variables('b10'), '0', variables('b10'))",
         "replace(): a text of more than 100,000 characters"),
        ("join(split(variables('b10'), '0'), variables('b10'))",
         "join(): a text of more than 100,000 characters"),
        ("format('{0}{0}{0}{0}{0}{0}{0}{0}{0}{0}{0}', variables('b10'))",
         "format(): a text of more than 100,000 characters"),
        pytest.param(f"json('{'[' * 2_000}')", f"json(): '{'[' * 40}'; expected JSON", id="open"),
        ("json('[1e400]')", "json(): '[1e400]'; expected JSON"),
        (f"json('{'[' * 70}{']' * 70}')",
         "a value of more than 100,000 characters, or nested more than 60 deep"),
        ("mul(9223372036854775807, 2)", "18446744073709551614 is a number of more than 64 bits"),
        ("newGuid()", f"newGuid() is another at every deployment; {FIXED}"),
        ("utcNow('u')", f"utcNow() is another at every deployment; {FIXED}"),
        ("uniqueString(resourceGroup().id)",
         "uniqueString() is computed in a way that only Azure knows; write a fixed name in its place"),
        ("reference('x').y", f"reference() {AZURE}"),
        ("listKeys('x', '2019-01-01').keys[0]", f"listKeys() {AZURE}"),
        ("environment().suffixes.storage", f"environment() {AZURE}"),
        ("deployment().name", f"deployment() is another at every deployment; {FIXED}"),
        ("copyIndex()", "copyIndex() counts copies of a loop; write the image template without copy"),
        ("subscription()", "subscription() alone; expected one of its members, such as subscription().id"),
        ("string(resourceGroup())",
         "string() of a whole subscription or group; expected one of its members"),
        ("tenant().tenantId", "tenant().tenantId is not known here; write the value in its place"),
        ("subscription().tenantId", "subscription().tenantId is not known here; write the value in its place "
                                    "(`upgrade` takes --subscription)"),
        ("resourceId('Microsoft.Compute', 'a')", f"resourceId(): Microsoft.Compute, a; {TYPE}"),
        ("resourceId('Microsoft.Compute/images', 'a', 'b')",
         f"resourceId(): Microsoft.Compute/images, a, b; {TYPE}"),
        ("resourceId('a', 'b', 'c', 'A.B/c', 'd')", f"resourceId(): a, b, c, A.B/c, d; {TYPE}"),
        ("parameters('wide').regoin", 'no member regoin in {"Region": {"names": ["a", "b"]}}; '
                                      "did you mean Region?"),
        ("createArray(1)[1]", "element 1 of a list of 1"),
        ("createArray(1)[-1]", "element -1 of a list of 1"),
        ("concat('a').b", 'member "b" of text; expected an object, or a list and a number'),
        ("if('x', 1, 2)", "if(): text; expected true or false"),
        ("and(true(), 1)", "and(): a number among the arguments; expected true or false"),
        ("add(1, true())", "add(): true or false among the arguments; expected a whole number"),
        ("concat(createArray(1), 'a')",
         "concat(): a list among the arguments; expected texts, or lists alone"),
        ("toLower(1)", "toLower(): a number among the arguments; expected text"),
        ("toLower('a', 'b')", "toLower() with 2 argument(s); expected 1"),
        ("replace('a', '', 'b')", "replace(): an empty text to replace"),
        ("substring('abc', 2, 5)", "substring(): characters 2 to 7 of a text of 3"),
        ("substring('abc')", "substring() with 1 argument(s); expected 2 to 3"),
        ("concat()", "concat() with 0 argument(s); expected 1 or more"),
        ("div(1, 0)", "div(): a division by 0"),
        ("mod(1, 0)", "mod(): a division by 0"),
        ("min(createArray())", "min(): an empty list; expected whole numbers"),
        ("int('4.5')", "int(): '4.5'; expected a whole number"),
        ("bool('yes')", "bool(): 'yes'; expected true or false"),
        ("format('{0:N2}', 1)", "format(): '{0:N2}'; expected the number of a value in braces, such as {0}"),
        ("format('{1}', 1)", "format(): '{1}'; expected the number of a value in braces, such as {0}"),
        ("format('}', 1)", "format(): '}'; expected the number of a value in braces, such as {0}"),
        ("createObject('a')", "createObject(): a name without a value; expected pairs"),
    ],
)  # fmt: skip
def test_an_expression_without_a_value_says_why(expression: str, said: str) -> None:
    with pytest.raises(Unevaluable) as refused:
        value(expression)
    assert str(refused.value) == said


@pytest.mark.parametrize(
    ("expression", "option"),
    [
        ("subscription().subscriptionId", "--subscription"),
        ("resourceGroup().location", "--resource-group and --location"),
        ("resourceGroup().id", "--resource-group and --location"),
    ],
)
def test_what_is_not_known_of_the_place_says_how_it_can_be_told(expression: str, option: str) -> None:
    said = f"{expression} is not known here; write the value in its place (`upgrade` takes {option})"
    with pytest.raises(Unevaluable) as refused:
        value(expression, Context())
    assert str(refused.value) == said


def test_an_id_needs_the_subscription_and_the_group_only_where_it_names_none() -> None:
    assert value("resourceId('s', 'g', 'A.B/c', 'd')", Context()).startswith(
        "/subscriptions/s/resourceGroups/g/"
    )
    with pytest.raises(Unevaluable, match=r"resourceGroup\(\)\.name is not known here"):
        value("resourceId('A.B/c', 'd')", Context("s"))


def test_computing_without_end_is_given_up() -> None:
    with pytest.raises(Unevaluable, match="more than 5,000 steps to compute it"):
        value(f"createArray({','.join('1' * 6_000)})")


def test_a_template_without_parameters_or_with_something_else_there_has_none() -> None:
    odds: list[dict[str, Any]] = [{}, {"parameters": None, "variables": []}, {"parameters": "x"}]
    for odd in odds:
        with pytest.raises(Unevaluable, match="parameter a is not declared"):
            Scope(odd, {}, HERE).value("[parameters('a')]")
        assert json.dumps(Scope(odd, {}, HERE).value("[createArray()]")) == "[]"

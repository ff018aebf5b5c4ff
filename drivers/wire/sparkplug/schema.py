"""The Sparkplug B payload as a protobuf schema (Sparkplug 3.0, section 6.4.1).

The field numbers and types are the public wire format. The schema is written here in our
own notation and turned into message classes when the module is loaded, so neither a
compiler nor a generated file is needed. proto2: presence of every scalar is known.
"""

from enum import IntEnum
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

_PACKAGE = "tenone.sparkplug_b"

# message: field=number:[*]type, '*' repeated, '|' a member of the message's value union,
# a capital first letter names another message.
_MESSAGES = """
Payload            timestamp=1:uint64 metrics=2:*Metric seq=3:uint64 uuid=4:string body=5:bytes
Metric             name=1:string alias=2:uint64 timestamp=3:uint64 datatype=4:uint32
                   is_historical=5:bool is_transient=6:bool is_null=7:bool
                   metadata=8:MetaData properties=9:PropertySet
                   int_value=10:|uint32 long_value=11:|uint64 float_value=12:|float
                   double_value=13:|double boolean_value=14:|bool string_value=15:|string
                   bytes_value=16:|bytes dataset_value=17:|DataSet template_value=18:|Template
                   extension_value=19:|Extension
MetaData           is_multi_part=1:bool content_type=2:string size=3:uint64 seq=4:uint64
                   file_name=5:string file_type=6:string md5=7:string description=8:string
PropertySet        keys=1:*string values=2:*PropertyValue
PropertySetList    propertyset=1:*PropertySet
PropertyValue      type=1:uint32 is_null=2:bool
                   int_value=3:|uint32 long_value=4:|uint64 float_value=5:|float
                   double_value=6:|double boolean_value=7:|bool string_value=8:|string
                   propertyset_value=9:|PropertySet propertysets_value=10:|PropertySetList
                   extension_value=11:|Extension
DataSet            num_of_columns=1:uint64 columns=2:*string types=3:*uint32 rows=4:*Row
Row                elements=1:*DataSetValue
DataSetValue       int_value=1:|uint32 long_value=2:|uint64 float_value=3:|float
                   double_value=4:|double boolean_value=5:|bool string_value=6:|string
                   extension_value=7:|Extension
Template           version=1:string metrics=2:*Metric parameters=3:*Parameter
                   template_ref=4:string is_definition=5:bool
Parameter          name=1:string type=2:uint32
                   int_value=3:|uint32 long_value=4:|uint64 float_value=5:|float
                   double_value=6:|double boolean_value=7:|bool string_value=8:|string
                   extension_value=9:|Extension
Extension
"""

_F = descriptor_pb2.FieldDescriptorProto
_SCALARS = {
    "uint32": _F.TYPE_UINT32,
    "uint64": _F.TYPE_UINT64,
    "float": _F.TYPE_FLOAT,
    "double": _F.TYPE_DOUBLE,
    "bool": _F.TYPE_BOOL,
    "string": _F.TYPE_STRING,
    "bytes": _F.TYPE_BYTES,
}


class DataType(IntEnum):
    """Sparkplug 3.0 datatypes (section 6.4.16), by their number on the wire."""

    UNKNOWN = 0
    INT8 = 1
    INT16 = 2
    INT32 = 3
    INT64 = 4
    UINT8 = 5
    UINT16 = 6
    UINT32 = 7
    UINT64 = 8
    FLOAT = 9
    DOUBLE = 10
    BOOLEAN = 11
    STRING = 12
    DATETIME = 13
    TEXT = 14
    UUID = 15
    DATASET = 16
    BYTES = 17
    FILE = 18
    TEMPLATE = 19
    PROPERTY_SET = 20
    PROPERTY_SET_LIST = 21
    INT8_ARRAY = 22
    INT16_ARRAY = 23
    INT32_ARRAY = 24
    INT64_ARRAY = 25
    UINT8_ARRAY = 26
    UINT16_ARRAY = 27
    UINT32_ARRAY = 28
    UINT64_ARRAY = 29
    FLOAT_ARRAY = 30
    DOUBLE_ARRAY = 31
    BOOLEAN_ARRAY = 32
    STRING_ARRAY = 33
    DATETIME_ARRAY = 34

    @property
    def is_array(self) -> bool:
        """Whether the value is the raw bytes of an array."""
        return self >= DataType.INT8_ARRAY


def _file() -> descriptor_pb2.FileDescriptorProto:
    file = descriptor_pb2.FileDescriptorProto(
        name="tenone/sparkplug_b.proto", package=_PACKAGE, syntax="proto2"
    )
    message = descriptor_pb2.DescriptorProto()
    for word in _MESSAGES.split():
        name, separator, rest = word.partition("=")
        if not separator:
            message = file.message_type.add(name=name)
            continue
        number, _, kind = rest.partition(":")
        repeated, in_union, kind = kind.startswith("*"), kind.startswith("|"), kind.lstrip("*|")
        field = message.field.add(name=name, number=int(number))
        field.label = _F.LABEL_REPEATED if repeated else _F.LABEL_OPTIONAL
        if kind in _SCALARS:
            field.type = _SCALARS[kind]
        else:
            field.type = _F.TYPE_MESSAGE
            field.type_name = f".{_PACKAGE}.{kind}"
        if in_union:
            if not message.oneof_decl:
                message.oneof_decl.add(name="value")
            field.oneof_index = 0
    return file


_POOL = descriptor_pool.DescriptorPool()
_POOL.Add(_file())


def _message(name: str) -> Any:
    descriptor = _POOL.FindMessageTypeByName(f"{_PACKAGE}.{name}")
    return message_factory.GetMessageClass(descriptor)


PayloadMessage = _message("Payload")
MetricMessage = _message("Metric")

#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/uuid.h"

namespace google::protobuf {
class Descriptor;
class FieldDescriptor;
class FileDescriptor;
class Message;
}  // namespace google::protobuf

namespace midonet::model {

using Message = google::protobuf::Message;
using Class = const google::protobuf::Descriptor*;

/// How a `bytes` or `string` field is written in JSON and checked (schema/options.proto).
enum class Format : std::uint8_t { Plain, Uuid, Mac, Ipv4, Ip, IpPrefix };
/// What happens to the holder of a reference when its target is deleted.
enum class OnDelete : std::uint8_t { Clear, Cascade, Error, Remove };

struct ReferenceRules {
    Class target = nullptr;
    OnDelete onDelete = OnDelete::Clear;
    bool exclusive = false;  ///< The target has at most one holder.
};

/// A field with its options resolved. The booleans are those of schema.FieldRules.
struct FieldSchema {
    const google::protobuf::FieldDescriptor* field = nullptr;
    std::string name;  ///< In the schema: "tunnel_key".
    std::string json;  ///< In REST: "tunnelKey".
    bool internal = false;
    bool readOnly = false;
    bool createOnly = false;
    bool keep = false;
    bool required = false;
    bool nullable = false;
    bool unique = false;
    bool flat = false;
    bool owner = false;
    bool restricted = false;
    bool printable = false;
    std::string defaultValue;  ///< Text; empty: the default of the type.
    std::int64_t min = 0;      ///< A range is given when min < max.
    std::int64_t max = 0;
    std::uint32_t maxLength = 255;  ///< Of strings, in characters.
    Format format = Format::Plain;
    std::optional<ReferenceRules> reference;
    std::vector<Class> names;  ///< Of ids that are no references.
    std::string cli;
    std::string doc;
    /// Fields of an embedded message (itself not an object); empty for any other type.
    std::vector<FieldSchema> embedded;

    bool hasRange() const { return min < max; }
};

/// A reference field of a class, also deep inside embedded or repeated messages: the store keeps
/// one index for each. `name` is the path joined by dots: "bridge_id", "rules.jump_chain_id".
struct ReferencePath {
    std::string name;
    std::vector<const google::protobuf::FieldDescriptor*> path;
    ReferenceRules rules;
};

/// A field whose values no two objects of the class share; inside repeated messages, no two elements of
/// all of them. `name` is a path as that of a reference: "name", "rules.id".
struct UniquePath {
    std::string name;
    std::vector<const google::protobuf::FieldDescriptor*> path;
    const FieldSchema* field = nullptr;
};

/// One class of stored objects: a message with the option schema.object.
class ClassSchema {
public:
    Class type = nullptr;
    std::string name;       ///< "TunnelZone"
    std::string rest;       ///< Collection segment, "tunnel_zones"; empty: none of its own.
    std::string mediaType;  ///< "TunnelZone" in application/vnd.org.midonet.TunnelZone-v1+json
    std::vector<std::uint32_t> mediaVersions;
    std::string cli;
    std::vector<FieldSchema> fields;  ///< In order of declaration; the first one is the id.
    std::vector<ReferencePath> references;
    std::vector<UniquePath> uniqueFields;

    /// Where other classes (or this one) refer to it.
    struct Incoming {
        const ClassSchema* holder;
        const ReferencePath* reference;
    };
    std::vector<Incoming> referencedBy;

    /// The text that names the tenant whose an object is; nullptr when there is none.
    const FieldSchema* tenant = nullptr;
    /// The references to what an object is part of: it is of the tenant whose these are.
    std::vector<const ReferencePath*> wholes;
    /// Whether objects may be a tenant's; else they are the administrators'.
    bool isOfTenants() const { return tenant != nullptr || !wholes.empty(); }

    /// nullptr when there is none.
    const FieldSchema* field(std::string_view schemaName) const;
    const FieldSchema* fieldByJson(std::string_view json) const;
    const ReferencePath* reference(std::string_view pathName) const;
    const UniquePath* unique(std::string_view pathName) const;

    /// A new object of the class, empty.
    std::unique_ptr<Message> make() const;
};

/// All classes, read from the descriptors once. Wrong options (a reference to no class, a default
/// that does not parse, two fields with one JSON name ...) are our bug and abort at start.
/// Immutable: any thread.
class Schema {
public:
    /// The schema of schema/topology.proto.
    static const Schema& get();
    /// Of other descriptor files; for tests.
    explicit Schema(const std::vector<const google::protobuf::FileDescriptor*>& files);
    Schema(const Schema&) = delete;
    Schema& operator=(const Schema&) = delete;

    /// In order of declaration.
    const std::vector<std::unique_ptr<ClassSchema>>& classes() const { return classes_; }

    /// Asserts that the class is one of ours.
    const ClassSchema& of(Class type) const;
    const ClassSchema& of(const Message& object) const;
    template <class T>
    const ClassSchema& of() const {
        return of(T::descriptor());
    }
    /// nullptr when there is none.
    const ClassSchema* byName(std::string_view name) const;
    const ClassSchema* byRest(std::string_view segment) const;

private:
    std::vector<std::unique_ptr<ClassSchema>> classes_;
    std::map<Class, const ClassSchema*> byType_;
    std::map<std::string, const ClassSchema*, std::less<>> byName_;
    std::map<std::string, const ClassSchema*, std::less<>> byRest_;
};

/// The object's id: field 1. Nil when unset.
Uuid idOf(const Message& object);
void setId(Message& object, const Uuid& id);

/// Targets an object names through one reference field; unset ones are left out, doubles kept.
std::vector<Uuid> targetsOf(const Message& object, const ReferencePath& reference);
/// Removes `target` from a reference field: a scalar is unset, an element of a list taken out; with
/// OnDelete::Remove, the innermost element of a repeated message that holds it.
void clearReference(Message& object, const ReferencePath& reference, const Uuid& target);

/// The value of a scalar field as text, as for a unique key; empty when unset.
std::string textOf(const Message& object, const FieldSchema& field);
/// The values an object has in a unique field; unset ones are left out, doubles kept.
std::vector<std::string> textsOf(const Message& object, const UniquePath& unique);

}  // namespace midonet::model

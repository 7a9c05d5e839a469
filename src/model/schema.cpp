#include "model/schema.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <algorithm>
#include <charconv>
#include <set>

#include "base/assert.h"
#include "model/ids.h"
#include "model/options.pb.h"
#include "model/topology.pb.h"

namespace midonet::model {
namespace {

namespace pb = google::protobuf;
using Descriptors = std::vector<const pb::FieldDescriptor*>;

Format formatOf(schema::Format format) {
    switch (format) {
        case schema::UUID: return Format::Uuid;
        case schema::MAC: return Format::Mac;
        case schema::IPV4: return Format::Ipv4;
        case schema::IP: return Format::Ip;
        case schema::IP_PREFIX: return Format::IpPrefix;
        default: return Format::Plain;
    }
}

OnDelete onDeleteOf(schema::OnDelete action) {
    switch (action) {
        case schema::CASCADE: return OnDelete::Cascade;
        case schema::ERROR: return OnDelete::Error;
        case schema::REMOVE: return OnDelete::Remove;
        default: return OnDelete::Clear;
    }
}

bool parsesAs(const pb::FieldDescriptor& field, const std::string& text) {
    const char* const end = text.data() + text.size();
    std::int64_t number = 0;
    switch (field.cpp_type()) {
        case pb::FieldDescriptor::CPPTYPE_BOOL: return text == "true" || text == "false";
        case pb::FieldDescriptor::CPPTYPE_ENUM:
            return field.enum_type()->FindValueByName(text) != nullptr;
        case pb::FieldDescriptor::CPPTYPE_STRING: return true;
        case pb::FieldDescriptor::CPPTYPE_MESSAGE: return false;
        default: return std::from_chars(text.data(), end, number).ptr == end;
    }
}

class Reader {
public:
    explicit Reader(const std::map<std::string, Class, std::less<>>& targets) : targets_(targets) {}

    std::unique_ptr<ClassSchema> read(Class type) {
        const auto& rules = type->options().GetExtension(schema::object);
        auto out = std::make_unique<ClassSchema>();
        out->type = type;
        out->name = type->name();
        out->rest = rules.rest();
        out->mediaType = rules.media_type();
        out->mediaVersions.assign(rules.media_versions().begin(), rules.media_versions().end());
        out->cli = rules.cli();
        out->fields = readFields(type, {}, *out);
        collectUnique(out->fields, {}, *out);
        collectOwners(*out);
        checkId(*out);
        return out;
    }

private:
    std::vector<FieldSchema> readFields(Class type, const Descriptors& above, ClassSchema& owner) {
        std::vector<FieldSchema> out;
        std::set<std::string> jsonNames;
        out.reserve(static_cast<std::size_t>(type->field_count()));
        for (int i = 0; i < type->field_count(); ++i) {
            out.push_back(readField(*type->field(i), above, owner));
            const auto& added = out.back();
            for (const auto& shown : added.flat ? added.embedded : std::vector{added})
                MIDONET_ASSERT(jsonNames.insert(shown.json).second,
                               "two fields of a message have the same JSON name");
        }
        return out;
    }

    FieldSchema readField(const pb::FieldDescriptor& field, const Descriptors& above,
                          ClassSchema& owner) {
        const auto& rules = field.options().GetExtension(schema::rules);
        FieldSchema out;
        out.field = &field;
        out.name = field.name();
        out.json = rules.json().empty() ? field.json_name() : rules.json();
        out.internal = rules.internal();
        out.readOnly = rules.read_only();
        out.createOnly = rules.create_only();
        out.keep = rules.keep();
        out.required = rules.required();
        out.nullable = rules.nullable();
        out.unique = rules.unique();
        out.flat = rules.flat();
        out.owner = rules.owner();
        out.restricted = rules.restricted();
        out.printable = rules.printable();
        out.defaultValue = rules.default_value();
        out.min = rules.min();
        out.max = rules.max();
        if (rules.max_length() != 0) out.maxLength = rules.max_length();
        out.format = formatOf(rules.format());
        out.cli = rules.cli();
        out.doc = rules.doc();
        MIDONET_ASSERT(rules.min() <= rules.max(), "a range has min <= max");
        MIDONET_ASSERT(out.defaultValue.empty() || parsesAs(field, out.defaultValue),
                       "the default value of a field is of its type");
        MIDONET_ASSERT(out.format != Format::Uuid || field.type() == pb::FieldDescriptor::TYPE_BYTES,
                       "an id is stored in a bytes field");
        const bool message = field.cpp_type() == pb::FieldDescriptor::CPPTYPE_MESSAGE;
        MIDONET_ASSERT(!out.unique || (!field.is_repeated() && !message), "a unique field is a scalar");
        MIDONET_ASSERT(!out.flat || (!field.is_repeated() && message),
                       "only one embedded message can be flat, not a list");

        auto path = above;
        path.push_back(&field);
        for (const auto& name : rules.names()) out.names.push_back(classNamed(name));
        if (rules.has_reference()) out.reference = addReference(out, path, rules.reference(), owner);
        if (message) {
            for (const auto* outer : above)
                MIDONET_ASSERT(outer->message_type() != field.message_type(),
                               "an embedded message does not contain itself");
            out.embedded = readFields(field.message_type(), path, owner);
        }
        return out;
    }

    ReferenceRules addReference(const FieldSchema& field, const Descriptors& path,
                                const schema::Reference& rules, ClassSchema& owner) {
        MIDONET_ASSERT(field.format == Format::Uuid, "a reference is a field of format UUID");
        const ReferenceRules out{classNamed(rules.target()), onDeleteOf(rules.on_delete()), rules.exclusive()};
        const bool inList = std::any_of(path.begin(), path.end() - 1, [](const auto* step) { return step->is_repeated(); });
        MIDONET_ASSERT(out.onDelete != OnDelete::Remove || (inList && !path.back()->is_repeated()),
                       "what is removed with a target is an element of a list");
        owner.references.push_back({nameOf(path), path, out});
        return out;
    }

    Class classNamed(const std::string& name) const {
        const auto found = targets_.find(name);
        MIDONET_ASSERT(found != targets_.end(), "what is referred to is a class of the schema");
        return found->second;
    }

    /// When all is read: the fields have moved to where they stay.
    static void collectUnique(const std::vector<FieldSchema>& fields, const Descriptors& above, ClassSchema& owner) {
        for (const auto& field : fields) {
            auto path = above;
            path.push_back(field.field);
            if (field.unique) owner.uniqueFields.push_back({nameOf(path), path, &field});
            collectUnique(field.embedded, path, owner);
        }
    }

    /// When all is read, as collectUnique().
    static void collectOwners(ClassSchema& read) {
        for (const auto& field : read.fields) {
            if (!field.owner) continue;
            MIDONET_ASSERT(!field.field->is_repeated(), "an object has one owner");
            if (field.reference) {
                read.wholes.push_back(read.reference(field.name));
                continue;
            }
            MIDONET_ASSERT(read.tenant == nullptr && field.field->type() == pb::FieldDescriptor::TYPE_STRING, "one text names the tenant");
            read.tenant = &field;
        }
        MIDONET_ASSERT(read.tenant == nullptr || read.wholes.empty(), "an object is a tenant's by itself, or by what it is part of");
    }

    static std::string nameOf(const Descriptors& path) {
        std::string out;
        for (const auto* step : path) out += (out.empty() ? "" : ".") + step->name();
        return out;
    }

    static void checkId(const ClassSchema& read) {
        MIDONET_ASSERT(!read.fields.empty(), "an object has fields");
        const auto& id = read.fields.front();
        MIDONET_ASSERT(id.name == "id" && id.field->number() == 1 && id.format == Format::Uuid &&
                           !id.field->is_repeated(),
                       "field 1 of an object is its id");
    }

    const std::map<std::string, Class, std::less<>>& targets_;
};

/// Calls `visit(message, field)` for each message that holds the last field of the path.
template <class AMessage, class Visit>
void walk(AMessage& message, const Descriptors& path, std::size_t depth, const Visit& visit) {
    const auto* field = path[depth];
    if (depth + 1 == path.size()) return visit(message, *field);
    const auto* reflection = message.GetReflection();
    constexpr bool kMutable = !std::is_const_v<AMessage>;
    if (field->is_repeated()) {
        for (int i = 0; i < reflection->FieldSize(message, field); ++i) {
            if constexpr (kMutable)
                walk(*reflection->MutableRepeatedMessage(&message, field, i), path, depth + 1, visit);
            else
                walk(reflection->GetRepeatedMessage(message, field, i), path, depth + 1, visit);
        }
    } else if (reflection->HasField(message, field)) {
        if constexpr (kMutable)
            walk(*reflection->MutableMessage(&message, field), path, depth + 1, visit);
        else
            walk(reflection->GetMessage(message, field), path, depth + 1, visit);
    }
}

template <class T>
const T* findBy(const std::vector<T>& items, std::string T::*member, std::string_view value) {
    for (const auto& item : items)
        if (item.*member == value) return &item;
    return nullptr;
}

/// Takes those elements of the innermost list on the path out that name `target`.
void removeElements(Message& object, const ReferencePath& reference, const Uuid& target) {
    const auto isList = [](const auto* step) { return step->is_repeated(); };
    const auto list = std::find_if(reference.path.rbegin(), reference.path.rend(), isList).base();  // behind it
    const Descriptors above{reference.path.begin(), list};
    const ReferencePath below{{}, {list, reference.path.end()}, reference.rules};
    walk(object, above, 0, [&](Message& holder, const pb::FieldDescriptor& field) {
        const auto* reflection = holder.GetReflection();
        int kept = 0;
        const int size = reflection->FieldSize(holder, &field);
        for (int i = 0; i < size; ++i) {
            if (targetsOf(reflection->GetRepeatedMessage(holder, &field, i), below) == std::vector{target}) continue;
            if (i != kept) reflection->SwapElements(&holder, &field, i, kept);
            ++kept;
        }
        for (int i = kept; i < size; ++i) reflection->RemoveLast(&holder, &field);
    });
}

const pb::FieldDescriptor& idField(const Message& object) {
    const auto* field = object.GetDescriptor()->FindFieldByNumber(1);
    MIDONET_ASSERT(field != nullptr && field->type() == pb::FieldDescriptor::TYPE_BYTES,
                   "field 1 of an object is its id");
    return *field;
}

}  // namespace

const FieldSchema* ClassSchema::field(std::string_view schemaName) const {
    return findBy(fields, &FieldSchema::name, schemaName);
}

const FieldSchema* ClassSchema::fieldByJson(std::string_view json) const {
    return findBy(fields, &FieldSchema::json, json);
}

const ReferencePath* ClassSchema::reference(std::string_view pathName) const {
    return findBy(references, &ReferencePath::name, pathName);
}

const UniquePath* ClassSchema::unique(std::string_view pathName) const {
    return findBy(uniqueFields, &UniquePath::name, pathName);
}

std::unique_ptr<Message> ClassSchema::make() const {
    return std::unique_ptr<Message>(
        pb::MessageFactory::generated_factory()->GetPrototype(type)->New());
}

const Schema& Schema::get() {
    static const Schema schema({Host::descriptor()->file()});
    return schema;
}

Schema::Schema(const std::vector<const pb::FileDescriptor*>& files) {
    std::map<std::string, Class, std::less<>> types;
    std::vector<Class> ordered;
    for (const auto* file : files) {
        for (int i = 0; i < file->message_type_count(); ++i) {
            const auto* type = file->message_type(i);
            if (!type->options().HasExtension(schema::object)) continue;
            MIDONET_ASSERT(types.emplace(type->name(), type).second,
                           "two classes have the same name");
            ordered.push_back(type);
        }
    }
    for (const auto* type : ordered) {
        classes_.push_back(Reader(types).read(type));
        const auto* added = classes_.back().get();
        byType_.emplace(type, added);
        byName_.emplace(added->name, added);
        if (!added->rest.empty())
            MIDONET_ASSERT(byRest_.emplace(added->rest, added).second,
                           "two classes have the same REST collection");
    }
    for (const auto& holder : classes_)
        for (const auto* whole : holder->wholes) MIDONET_ASSERT(of(whole->rules.target).isOfTenants(), "what is part of something has its owner");
    for (const auto& holder : classes_)
        for (const auto& reference : holder->references)
            for (const auto& target : classes_)
                if (target->type == reference.rules.target)
                    target->referencedBy.push_back({holder.get(), &reference});
}

const ClassSchema& Schema::of(Class type) const {
    const auto found = byType_.find(type);
    MIDONET_ASSERT(found != byType_.end(), "the message is a class of the schema");
    return *found->second;
}

const ClassSchema& Schema::of(const Message& object) const { return of(object.GetDescriptor()); }

const ClassSchema* Schema::byName(std::string_view name) const {
    const auto found = byName_.find(name);
    return found == byName_.end() ? nullptr : found->second;
}

const ClassSchema* Schema::byRest(std::string_view segment) const {
    const auto found = byRest_.find(segment);
    return found == byRest_.end() ? nullptr : found->second;
}

Uuid idOf(const Message& object) {
    std::string scratch;
    return uuidOf(object.GetReflection()->GetStringReference(object, &idField(object), &scratch));
}

void setId(Message& object, const Uuid& id) {
    object.GetReflection()->SetString(&object, &idField(object), bytesOf(id));
}

std::vector<Uuid> targetsOf(const Message& object, const ReferencePath& reference) {
    std::vector<Uuid> out;
    walk(object, reference.path, 0, [&](const Message& message, const pb::FieldDescriptor& field) {
        const auto* reflection = message.GetReflection();
        std::string scratch;
        const auto add = [&](const std::string& bytes) {
            if (const auto id = uuidOf(bytes); !id.isNil()) out.push_back(id);
        };
        if (!field.is_repeated())
            return add(reflection->GetStringReference(message, &field, &scratch));
        for (int i = 0; i < reflection->FieldSize(message, &field); ++i)
            add(reflection->GetRepeatedStringReference(message, &field, i, &scratch));
    });
    return out;
}

void clearReference(Message& object, const ReferencePath& reference, const Uuid& target) {
    if (reference.rules.onDelete == OnDelete::Remove) return removeElements(object, reference, target);
    const auto bytes = target.toBytes();
    walk(object, reference.path, 0, [&](Message& message, const pb::FieldDescriptor& field) {
        const auto* reflection = message.GetReflection();
        if (!field.is_repeated()) {
            if (reflection->GetString(message, &field) == bytes)
                reflection->ClearField(&message, &field);
            return;
        }
        std::vector<std::string> kept;
        for (int i = 0; i < reflection->FieldSize(message, &field); ++i)
            if (auto item = reflection->GetRepeatedString(message, &field, i); item != bytes)
                kept.push_back(std::move(item));
        reflection->ClearField(&message, &field);
        for (auto& item : kept) reflection->AddString(&message, &field, std::move(item));
    });
}

std::string textOf(const Message& object, const FieldSchema& schema) {
    const auto* reflection = object.GetReflection();
    const auto* field = schema.field;
    if (!reflection->HasField(object, field)) return {};  // proto3 scalars: the default is "unset"
    switch (field->cpp_type()) {
        case pb::FieldDescriptor::CPPTYPE_STRING: {
            auto text = reflection->GetString(object, field);
            return schema.format == Format::Uuid ? uuidOf(text).toString() : text;
        }
        case pb::FieldDescriptor::CPPTYPE_INT32:
            return std::to_string(reflection->GetInt32(object, field));
        case pb::FieldDescriptor::CPPTYPE_INT64:
            return std::to_string(reflection->GetInt64(object, field));
        case pb::FieldDescriptor::CPPTYPE_UINT32:
            return std::to_string(reflection->GetUInt32(object, field));
        case pb::FieldDescriptor::CPPTYPE_UINT64:
            return std::to_string(reflection->GetUInt64(object, field));
        case pb::FieldDescriptor::CPPTYPE_ENUM: return reflection->GetEnum(object, field)->name();
        case pb::FieldDescriptor::CPPTYPE_BOOL:
            return reflection->GetBool(object, field) ? "true" : "false";
        case pb::FieldDescriptor::CPPTYPE_DOUBLE:
        case pb::FieldDescriptor::CPPTYPE_FLOAT:
        case pb::FieldDescriptor::CPPTYPE_MESSAGE: break;
    }
    MIDONET_ASSERT(false, "a unique field is text, a whole number or an enumerator");
    return {};
}

std::vector<std::string> textsOf(const Message& object, const UniquePath& unique) {
    std::vector<std::string> out;
    walk(object, unique.path, 0, [&](const Message& message, const pb::FieldDescriptor&) {
        if (auto text = textOf(message, *unique.field); !text.empty()) out.push_back(std::move(text));
    });
    return out;
}

}  // namespace midonet::model

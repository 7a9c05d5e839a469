#include "rest/tenant_scope.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <algorithm>
#include <map>
#include <set>

#include "model/ids.h"
#include "model/schema.h"

namespace midonet::rest {
namespace {

using model::ClassSchema;
using model::ReferencePath;
using nsdb::Class;
using nsdb::Message;
using nsdb::Stored;
using google::protobuf::FieldDescriptor;

const ClassSchema& schemaOf(Class type) { return model::Schema::get().of(type); }
const ClassSchema& schemaOf(const Message& object) { return model::Schema::get().of(object); }

std::set<Uuid> targetsOf(const Message* object, const ReferencePath& reference) {
    if (object == nullptr) return {};
    const auto targets = model::targetsOf(*object, reference);
    return {targets.begin(), targets.end()};
}

std::unique_ptr<Message> copyOf(const Message& object) {
    std::unique_ptr<Message> out(object.New());
    out->CopyFrom(object);
    return out;
}

bool isSet(const Message& object, const FieldDescriptor& field) {
    const auto* reflection = object.GetReflection();
    return field.is_repeated() ? reflection->FieldSize(object, &field) > 0 : reflection->HasField(object, &field);
}

/// As the store says it.
tl::unexpected<Error> absent(const ClassSchema& type, const Uuid& id) { return fail(ErrorCode::NotFound, "no {} has the id {}", type.name, id); }

/// Which objects are a tenant's, as the reads of one moment say. What was found out is kept: who owns an object does not change.
class Ownership {
public:
    Ownership(nsdb::View& whole, std::string tenant) : whole_(whole), tenant_(std::move(tenant)) {}

    const std::string& tenant() const { return tenant_; }
    Result<bool> owns(const Message& object);
    /// False for what is not there.
    Result<bool> owns(Class type, const Uuid& id);
    /// Of all objects of the class that are the tenant's, ordered.
    Result<std::vector<Uuid>> ids(Class type);
    Result<std::vector<Uuid>> ofThese(Class type, const std::vector<Uuid>& ids);
    Result<std::vector<Uuid>> referrers(Class type, std::string_view field, const Uuid& target);
    /// The targets of a reference that are not the tenant's.
    Result<std::set<Uuid>> foreign(const Message& object, const ReferencePath& reference);

private:
    Result<std::vector<Uuid>> idsByTenant(const ClassSchema& type);
    Result<std::vector<Uuid>> idsByWholes(const ClassSchema& type);

    nsdb::View& whole_;
    const std::string tenant_;
    std::map<std::pair<Class, Uuid>, bool> known_;
};

Result<bool> Ownership::owns(const Message& object) {
    const auto& type = schemaOf(object);
    if (type.tenant != nullptr) return model::textOf(object, *type.tenant) == tenant_;
    bool some = false;
    for (const auto* whole : type.wholes)
        for (const auto& target : model::targetsOf(object, *whole)) {
            TRY(own, owns(whole->rules.target, target));
            if (!own) return false;
            some = true;
        }
    return some;
}

Result<bool> Ownership::owns(Class type, const Uuid& id) {
    if (!schemaOf(type).isOfTenants()) return false;
    if (const auto known = known_.find({type, id}); known != known_.end()) return known->second;
    const auto found = whole_.get(type, id);
    if (!found && found.error().code == ErrorCode::NotFound) return false;
    if (!found) return Unexpected{found.error()};
    TRY(own, owns(*found->object));
    return known_[{type, id}] = own;
}

Result<std::vector<Uuid>> Ownership::ids(Class type) {
    const auto& schema = schemaOf(type);
    if (schema.tenant != nullptr) return idsByTenant(schema);
    return idsByWholes(schema);
}

Result<std::vector<Uuid>> Ownership::idsByTenant(const ClassSchema& type) {
    TRY(all, whole_.list(type.type));
    std::vector<Uuid> out;
    for (const auto& stored : all) {
        TRY(own, owns(*stored.object));
        if (own) out.push_back(model::idOf(*stored.object));
    }
    return out;
}

/// From what the tenant has downwards: what others have of the class costs nothing.
Result<std::vector<Uuid>> Ownership::idsByWholes(const ClassSchema& type) {
    std::vector<Uuid> out;
    for (const auto* whole : type.wholes) {
        TRY(targets, ids(whole->rules.target));
        for (const auto& target : targets) {
            TRY(parts, referrers(type.type, whole->name, target));
            out.insert(out.end(), parts.begin(), parts.end());
        }
    }
    std::sort(out.begin(), out.end());
    out.erase(std::unique(out.begin(), out.end()), out.end());
    return out;
}

Result<std::vector<Uuid>> Ownership::ofThese(Class type, const std::vector<Uuid>& ids) {
    TRY_VOID(whole_.readAhead(type, ids));
    std::vector<Uuid> out;
    for (const auto& id : ids) {
        TRY(own, owns(type, id));
        if (own) out.push_back(id);
    }
    return out;
}

Result<std::vector<Uuid>> Ownership::referrers(Class type, std::string_view field, const Uuid& target) {
    const auto& schema = schemaOf(type);
    const auto* reference = schema.reference(field);
    TRY(own, owns(reference->rules.target, target));
    if (!own) return std::vector<Uuid>{};
    TRY(all, whole_.referrers(type, field, target));
    const bool follows = schema.wholes.size() == 1 && schema.wholes.front() == reference;
    if (follows) return all;
    return ofThese(type, all);
}

Result<std::set<Uuid>> Ownership::foreign(const Message& object, const ReferencePath& reference) {
    std::set<Uuid> out;
    for (const auto& target : targetsOf(&object, reference)) {
        TRY(own, owns(reference.rules.target, target));
        if (!own) out.insert(target);
    }
    return out;
}

/// The object as its tenant may see it; the same when that is all of it.
Result<std::shared_ptr<const Message>> shownTo(Ownership& ownership, std::shared_ptr<const Message> object) {
    const auto& type = schemaOf(*object);
    std::shared_ptr<Message> less;
    const auto change = [&]() -> Message& {
        if (!less) less = copyOf(*object);
        return *less;
    };
    for (const auto& reference : type.references) {
        TRY(foreign, ownership.foreign(*object, reference));
        auto unset = reference;
        unset.rules.onDelete = model::OnDelete::Clear;  // a rule that jumps to a foreign chain is still a rule of this one
        for (const auto& target : foreign) model::clearReference(change(), unset, target);
    }
    for (const auto& field : type.fields)
        if (field.restricted && isSet(*object, *field.field)) change().GetReflection()->ClearField(&change(), field.field);
    if (less) return std::shared_ptr<const Message>{std::move(less)};
    return object;
}

using Named = std::set<std::pair<const model::FieldSchema*, Uuid>>;

/// The ids of an object that are meant to name something, though they are no references: agents act on them.
void collectNamed(const Message& message, const std::vector<model::FieldSchema>& fields, Named& out) {
    const auto* reflection = message.GetReflection();
    for (const auto& field : fields) {
        if ((field.names.empty() && field.embedded.empty()) || !isSet(message, *field.field)) continue;
        const bool repeated = field.field->is_repeated();
        for (int i = 0; i < (repeated ? reflection->FieldSize(message, field.field) : 1); ++i) {
            if (!field.embedded.empty())
                collectNamed(repeated ? reflection->GetRepeatedMessage(message, field.field, i) : reflection->GetMessage(message, field.field), field.embedded, out);
            else
                out.emplace(&field, model::uuidOf(repeated ? reflection->GetRepeatedString(message, field.field, i) : reflection->GetString(message, field.field)));
        }
    }
}

Named namedBy(const Message* object) {
    Named out;
    if (object != nullptr) collectNamed(*object, schemaOf(*object).fields, out);
    return out;
}

/// The reads of a tenant; Base is View or Transaction.
template <class Base>
class TenantReads : public Base {
public:
    TenantReads(Base& whole, std::string tenant) : whole_(whole), ownership_(whole, std::move(tenant)) {}

    nsdb::Revision revision() const override { return whole_.revision(); }
    using nsdb::View::get;
    using nsdb::View::list;
    using nsdb::View::referrers;
    using nsdb::View::state;
    Result<Stored<Message>> get(Class type, const Uuid& id) override {
        const auto& schema = schemaOf(type);
        if (!schema.isOfTenants()) return absent(schema, id);
        TRY(found, whole_.get(type, id));
        TRY(own, ownership_.owns(*found.object));
        if (!own) return absent(schema, id);
        return found;
    }
    Result<std::vector<Stored<Message>>> list(Class type) override {
        TRY(all, ids(type));
        TRY_VOID(whole_.readAhead(type, all));
        std::vector<Stored<Message>> out;
        for (const auto& id : all) {
            auto found = this->get(type, id);
            if (!found && found.error().code == ErrorCode::NotFound) continue;  // a backend without one moment: it has just gone
            if (!found) return Unexpected{found.error()};
            out.push_back(std::move(*found));
        }
        return out;
    }
    Result<std::vector<Uuid>> ids(Class type) override { return ownership_.ids(type); }
    Result<std::vector<Uuid>> referrers(Class type, std::string_view field, const Uuid& target) override {
        return ownership_.referrers(type, field, target);
    }
    Result<std::optional<Uuid>> findUnique(Class type, std::string_view field, std::string_view value) override {
        if (!schemaOf(type).isOfTenants()) return std::optional<Uuid>{};
        TRY(found, whole_.findUnique(type, field, value));
        if (!found) return found;
        TRY(own, ownership_.owns(type, *found));
        return own ? found : std::optional<Uuid>{};
    }
    Result<std::optional<std::string>> state(Class type, const Uuid& id, std::string_view key) override {
        TRY(own, ownership_.owns(type, id));
        if (!own) return std::optional<std::string>{};
        return whole_.state(type, id, key);
    }
    Result<std::optional<std::string>> persistent(std::string_view table, std::string_view key) override {
        TRY(own, ownsTable(*this, table));
        if (!own) return std::optional<std::string>{};
        return whole_.persistent(table, key);
    }
    Result<void> readAhead(Class type, const std::vector<Uuid>& ids) override { return whole_.readAhead(type, ids); }
    Result<void> readStatesAhead(Class type, const std::vector<Uuid>& ids, std::string_view key) override {
        return whole_.readStatesAhead(type, ids, key);
    }

protected:
    Base& whole_;
    Ownership ownership_;
};

class TenantView final : public TenantReads<nsdb::View> {
public:
    using TenantReads::TenantReads;
    TenantView(std::unique_ptr<nsdb::View> whole, std::string tenant) : TenantReads(*whole, std::move(tenant)), held_(std::move(whole)) {}

    using nsdb::View::get;
    Result<Stored<Message>> get(Class type, const Uuid& id) override {
        TRY(found, TenantReads::get(type, id));
        TRY(shown, shownTo(ownership_, std::move(found.object)));
        return Stored<Message>{std::move(shown), found.revision};
    }

private:
    std::unique_ptr<nsdb::View> held_;
};

class TenantTransaction final : public TenantReads<nsdb::Transaction> {
public:
    using TenantReads::TenantReads;

    Result<void> create(const Message& object) override {
        const auto next = copyOf(object);
        TRY_VOID(claim(*next));
        TRY_VOID(checkRestricted(*schemaOf(object).make(), *next));
        TRY_VOID(checkNamed(nullptr, *next));
        return whole_.create(*next);
    }
    Result<void> update(const Message& object) override {
        TRY(before, get(object.GetDescriptor(), model::idOf(object)));
        const auto next = copyOf(object);
        TRY_VOID(claim(*next));
        TRY_VOID(checkRestricted(*before.object, *next));
        TRY_VOID(keepForeign(*before.object, *next));
        TRY_VOID(checkNamed(before.object.get(), *next));
        return whole_.update(*next);
    }
    Result<void> remove(Class type, const Uuid& id) override {
        TRY_VOID(get(type, id));
        return whole_.remove(type, id);
    }
    Result<void> putPersistent(std::string_view table, std::string_view key, std::string_view value) override {
        TRY_VOID(checkTable(table));
        return whole_.putPersistent(table, key, value);
    }
    Result<void> removePersistent(std::string_view table, std::string_view key) override {
        TRY_VOID(checkTable(table));
        return whole_.removePersistent(table, key);
    }
    Result<std::uint64_t> next(std::string_view counter) override { return whole_.next(counter); }

private:
    Result<void> claim(Message& next);
    Result<void> checkRestricted(const Message& before, const Message& next);
    Result<void> keepForeign(const Message& before, Message& next);
    Result<void> keepForeign(const FieldDescriptor& field, const std::string& name, const std::set<Uuid>& foreign, const std::set<Uuid>& now, Message& next);
    Result<void> checkNamed(const Message* before, const Message& next);
    Result<void> checkMeant(const Message* before, const Message& next);
    Result<void> checkTable(std::string_view table) {
        TRY(own, ownsTable(*this, table));
        if (!own) return fail(ErrorCode::NotFound, "the table {} is of no object", table);
        return {};
    }
};

/// The object is to be the tenant's.
Result<void> TenantTransaction::claim(Message& next) {
    const auto& type = schemaOf(next);
    if (!type.isOfTenants()) return fail(ErrorCode::PermissionDenied, "only an administrator may change a {}", type.name);
    if (type.tenant != nullptr) {
        const auto named = model::textOf(next, *type.tenant);
        if (!named.empty() && named != ownership_.tenant()) return fail(ErrorCode::PermissionDenied, "{} must be your own tenant", type.tenant->json);
        next.GetReflection()->SetString(&next, type.tenant->field, ownership_.tenant());
        return {};
    }
    for (const auto* whole : type.wholes)
        if (!model::targetsOf(next, *whole).empty()) return {};
    return fail(ErrorCode::Invalid, "{} must be given", type.field(type.wholes.front()->name)->json);
}

Result<void> TenantTransaction::checkRestricted(const Message& before, const Message& next) {
    const auto& type = schemaOf(next);
    for (const auto& field : type.fields)
        if (field.restricted && model::textOf(before, field) != model::textOf(next, field))
            return fail(ErrorCode::PermissionDenied, "only an administrator may set {} of a {}", field.json, type.name);
    return {};
}

/// What the tenant does not see of an object it cannot mean to take away: references to what is not its own stay.
Result<void> TenantTransaction::keepForeign(const Message& before, Message& next) {
    const auto& type = schemaOf(next);
    for (const auto& reference : type.references) {
        if (reference.path.size() > 1) continue;  // of a rule, which is not changed, only removed
        TRY(foreign, ownership_.foreign(before, reference));
        if (foreign.empty()) continue;
        const auto& field = *type.field(reference.name);
        TRY_VOID(keepForeign(*field.field, field.json, foreign, targetsOf(&next, reference), next));
    }
    return {};
}

Result<void> TenantTransaction::keepForeign(const FieldDescriptor& field, const std::string& name, const std::set<Uuid>& foreign,
                                            const std::set<Uuid>& now, Message& next) {
    const auto* reflection = next.GetReflection();
    if (!field.is_repeated() && !now.empty() && now != foreign)
        return fail(ErrorCode::PermissionDenied, "{} is set by an administrator, who alone may change it", name);
    for (const auto& target : foreign) {
        if (now.contains(target)) continue;
        if (field.is_repeated())
            reflection->AddString(&next, &field, model::bytesOf(target));
        else
            reflection->SetString(&next, &field, model::bytesOf(target));
    }
    return {};
}

/// What the object comes to name must be the tenant's.
Result<void> TenantTransaction::checkNamed(const Message* before, const Message& next) {
    const auto& type = schemaOf(next);
    for (const auto& reference : type.references) {
        const auto old = targetsOf(before, reference);
        for (const auto& target : targetsOf(&next, reference)) {
            if (old.contains(target)) continue;
            TRY(own, ownership_.owns(reference.rules.target, target));
            if (!own)  // as the store says it
                return fail(ErrorCode::NotFound, "{} of {} {} names {} {}, which does not exist", reference.name, type.name, model::idOf(next),
                            schemaOf(reference.rules.target).name, target);
        }
    }
    return checkMeant(before, next);
}

/// Also where an id need not name anything.
Result<void> TenantTransaction::checkMeant(const Message* before, const Message& next) {
    const auto old = namedBy(before);
    for (const auto& [field, id] : namedBy(&next)) {
        if (old.contains({field, id})) continue;
        bool own = false;
        for (const auto meant : field->names) {
            TRY(one, ownership_.owns(meant, id));
            own = own || one;
        }
        if (!own) return fail(ErrorCode::NotFound, "{} names {}, which does not exist", field->json, id);
    }
    return {};
}

}  // namespace

std::unique_ptr<nsdb::View> viewOfTenant(std::unique_ptr<nsdb::View> whole, std::string tenant) {
    return std::make_unique<TenantView>(std::move(whole), std::move(tenant));
}

std::unique_ptr<nsdb::View> viewOfTenant(nsdb::View& whole, std::string tenant) { return std::make_unique<TenantView>(whole, std::move(tenant)); }

std::unique_ptr<nsdb::Transaction> transactionOfTenant(nsdb::Transaction& whole, std::string tenant) {
    return std::make_unique<TenantTransaction>(whole, std::move(tenant));
}

Result<bool> ownsTable(nsdb::View& ofTenant, std::string_view table) {
    const auto first = table.find('/');
    const auto second = table.find('/', first + 1);
    if (first == table.npos || second == table.npos) return false;
    const auto* type = model::Schema::get().byName(table.substr(0, first));
    const auto id = Uuid::parse(table.substr(first + 1, second - first - 1));
    if (type == nullptr || !id) return false;
    const auto owner = ofTenant.get(type->type, *id);
    if (!owner && owner.error().code != ErrorCode::NotFound) return Unexpected{owner.error()};
    return owner.has_value();
}

}  // namespace midonet::rest

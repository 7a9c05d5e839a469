// Random transactions against a store and against a slow, plain model of what it should do.
#include <gmock/gmock.h>
#include <rapidcheck.h>

#include <map>
#include <set>

#include "model/ids.h"
#include "world.h"

namespace midonet::nsdb {
namespace {

using fleet::Captain;
using fleet::Harbour;
using fleet::Ship;

constexpr std::uint64_t kIdsPerClass = 4;

struct Operation {
    enum class Kind { Create, Update, Remove } kind = Kind::Create;
    int type = 0;  // harbour, captain, ship
    std::uint64_t id = 0;
    // References and the unique name; 0 = unset.
    std::uint64_t name = 0, home = 0, harbour = 0, captain = 0, sister = 0, escort = 0;
};

std::ostream& operator<<(std::ostream& out, const Operation& o) {
    constexpr const char* kKinds[] = {"create", "update", "remove"};
    constexpr const char* kTypes[] = {"harbour", "captain", "ship"};
    return out << kKinds[static_cast<int>(o.kind)] << " " << kTypes[o.type] << " " << o.id << " name "
               << o.name << " home " << o.home << " harbour " << o.harbour << " captain "
               << o.captain << " sister " << o.sister << " escort " << o.escort;
}

rc::Gen<Operation> anyOperation() {
    const auto id = rc::gen::inRange<std::uint64_t>(1, kIdsPerClass + 1);
    const auto maybe = rc::gen::inRange<std::uint64_t>(0, kIdsPerClass + 1);
    return rc::gen::build<Operation>(
        rc::gen::set(&Operation::kind, rc::gen::element(Operation::Kind::Create, Operation::Kind::Create,
                                                        Operation::Kind::Update, Operation::Kind::Remove)),
        rc::gen::set(&Operation::type, rc::gen::inRange(0, 3)), rc::gen::set(&Operation::id, id),
        rc::gen::set(&Operation::name, maybe), rc::gen::set(&Operation::home, maybe),
        rc::gen::set(&Operation::harbour, maybe), rc::gen::set(&Operation::captain, maybe),
        rc::gen::set(&Operation::sister, maybe), rc::gen::set(&Operation::escort, maybe));
}

/// What the schema of the fleet means, said the slow way.
class Model {
public:
    using Errors = std::set<ErrorCode>;
    /// What is wrong with it (the store names one of these); nothing: done, else nothing changed.
    Errors apply(const Operation& o) {
        auto before = all_;
        auto errors = change(o);
        if (!errors.empty()) all_ = std::move(before);
        return errors;
    }
    using Key = std::pair<int, std::uint64_t>;
    const std::map<Key, Operation>& all() const { return all_; }

private:
    Errors change(const Operation& o) {
        const Key key{o.type, o.id};
        if (o.kind == Operation::Kind::Create && all_.contains(key)) return {ErrorCode::AlreadyExists};
        if (o.kind != Operation::Kind::Create && !all_.contains(key)) return {ErrorCode::NotFound};
        if (o.kind == Operation::Kind::Remove) return remove(key);
        auto object = o;
        if (o.type != 0) object.name = 0;
        if (o.type != 1) object.home = 0;
        if (o.type != 2) object.harbour = object.captain = object.sister = object.escort = 0;
        all_[key] = object;
        Errors errors;
        for (const auto& target : {Key{0, object.home}, Key{0, object.harbour}, Key{1, object.captain},
                                   Key{2, object.sister}, Key{2, object.escort}})
            if (target.second != 0 && !all_.contains(target)) errors.insert(ErrorCode::NotFound);
        for (const auto& [otherKey, other] : all_) {
            if (otherKey == key) continue;
            if (object.captain != 0 && other.captain == object.captain)
                errors.insert(ErrorCode::Conflict);
            if (object.name != 0 && other.name == object.name)
                errors.insert(ErrorCode::AlreadyExists);
        }
        return errors;
    }
    Errors remove(const Key& first) {
        std::set<Key> doomed{first};
        for (std::size_t size = 0; size != doomed.size();) {
            size = doomed.size();
            for (const auto& [key, object] : all_)
                if (doomed.contains({0, object.harbour}) || doomed.contains({2, object.sister}))
                    doomed.insert(key);
        }
        for (const auto& key : doomed) all_.erase(key);
        for (auto& [key, object] : all_) {
            if (doomed.contains({0, object.home})) return {ErrorCode::Conflict};
            if (doomed.contains({1, object.captain})) object.captain = 0;
            if (doomed.contains({2, object.escort})) object.escort = 0;
        }
        return {};
    }
    std::map<Key, Operation> all_;
};

Uuid idOf(int type, std::uint64_t id) {
    return id == 0 ? Uuid{} : Uuid{static_cast<std::uint64_t>(type) + 1, id};
}

std::unique_ptr<Message> objectOf(const Operation& o) {
    const auto id = idOf(o.type, o.id);
    if (o.type == 0)
        return std::make_unique<Harbour>(harbour(id, o.name == 0 ? "" : std::to_string(o.name)));
    if (o.type == 1) return std::make_unique<Captain>(captain(id, idOf(0, o.home)));
    auto out = std::make_unique<Ship>(ship(id, idOf(0, o.harbour), idOf(1, o.captain)));
    out->set_sister_id(model::bytesOf(idOf(2, o.sister)));
    if (o.escort != 0) out->add_escort_ids(model::bytesOf(idOf(2, o.escort)));
    return out;
}

Result<void> applyTo(Transaction& transaction, const Operation& o) {
    const auto object = objectOf(o);
    switch (o.kind) {
        case Operation::Kind::Create: return transaction.create(*object);
        case Operation::Kind::Update: return transaction.update(*object);
        case Operation::Kind::Remove:
            return transaction.remove(object->GetDescriptor(), idOf(o.type, o.id));
    }
    return {};
}

/// Objects, every index, every unique key.
void compare(View& view, const Model& expected) {
    std::size_t count = 0;
    for (const auto* type : {Harbour::descriptor(), Captain::descriptor(), Ship::descriptor()}) {
        const auto listed = view.list(type);
        RC_ASSERT(listed.has_value());
        count += listed->size();
    }
    RC_ASSERT(count == expected.all().size());
    std::map<std::pair<std::string, Uuid>, std::vector<Uuid>> index;
    for (const auto& [key, object] : expected.all()) {
        const auto want = objectOf(object);
        const auto found = view.get(want->GetDescriptor(), idOf(key.first, key.second));
        RC_ASSERT(found.has_value());
        RC_ASSERT(found->object->SerializeAsString() == want->SerializeAsString());
        for (const auto& reference : fleetSchema().of(*want).references)
            for (const auto& target : model::targetsOf(*want, reference))
                index[{want->GetDescriptor()->name() + "." + reference.name, target}].push_back(
                    idOf(key.first, key.second));
    }
    for (const auto& type : fleetSchema().classes())
        for (const auto& reference : type->references)
            for (int target = 0; target < 3; ++target)
                for (std::uint64_t n = 1; n <= kIdsPerClass; ++n) {
                    if (fleetSchema().of(reference.rules.target).name !=
                        std::vector<std::string>{"Harbour", "Captain", "Ship"}[static_cast<std::size_t>(target)])
                        continue;
                    const auto holders = view.referrers(type->type, reference.name, idOf(target, n));
                    RC_ASSERT(*holders == (index[{type->name + "." + reference.name, idOf(target, n)}]));
                }
    for (std::uint64_t name = 1; name <= kIdsPerClass; ++name) {
        std::optional<Uuid> holder;
        for (const auto& [key, object] : expected.all())
            if (object.name == name) holder = idOf(key.first, key.second);
        RC_ASSERT(*view.findUnique(Harbour::descriptor(), "name", std::to_string(name)) == holder);
    }
}

class AgainstTheModel : public testing::TestWithParam<BackendKind> {};

TEST_P(AgainstTheModel, RandomTransactionsDoTheSame) {
    EXPECT_TRUE(rc::check("store and model agree", [&] {
        const auto operations = *rc::gen::container<std::vector<Operation>>(anyOperation());
        const auto world = GetParam().make();
        const auto store = world->open();
        Model expected;
        for (const auto& operation : operations) {
            const auto errors = expected.apply(operation);
            const auto done =
                store->transact([&](Transaction& t) { return applyTo(t, operation); });
            RC_ASSERT(done.has_value() == errors.empty());
            if (!done) RC_ASSERT(errors.contains(done.error().code));
        }
        const auto view = store->view();
        compare(**view, expected);
    }));
}

TEST_P(AgainstTheModel, ManyOperationsInOneTransactionDoTheSame) {
    EXPECT_TRUE(rc::check("store and model agree", [&] {
        const auto operations = *rc::gen::container<std::vector<Operation>>(anyOperation());
        const auto world = GetParam().make();
        const auto store = world->open();
        Model expected;
        // Only what succeeds: an error would end the transaction.
        std::vector<Operation> possible;
        for (const auto& operation : operations)
            if (expected.apply(operation).empty()) possible.push_back(operation);
        const auto done = store->transact([&](Transaction& t) -> Result<void> {
            for (const auto& operation : possible) TRY_VOID(applyTo(t, operation));
            compare(t, expected);
            return {};
        });
        RC_ASSERT(done.has_value());
        const auto view = store->view();
        compare(**view, expected);
    }));
}

MIDONET_CONFORMANCE(AgainstTheModel, conformanceKinds());

}  // namespace
}  // namespace midonet::nsdb

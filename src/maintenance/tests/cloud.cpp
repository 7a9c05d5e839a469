#include "cloud.h"

#include <sstream>

#include "model/ids.h"

namespace midonet::maintenance {
namespace {

using nsdb::Transaction;

class Random {
public:
    explicit Random(unsigned seed) : engine_(seed) {}
    std::size_t below(std::size_t end) { return std::uniform_int_distribution<std::size_t>(0, end - 1)(engine_); }
    bool chance() { return below(2) == 0; }
    Uuid id() { return {engine_(), engine_() | 1}; }
    const Uuid& of(const std::vector<Uuid>& ids) { return ids[below(ids.size())]; }

private:
    std::mt19937_64 engine_;
};

fleet::Ship shipAtRandom(Random& random, const Uuid& id, const std::vector<Uuid>& harbours, const std::vector<Uuid>& captains,
                         const std::vector<Uuid>& ships) {
    auto out = nsdb::ship(id, random.of(harbours));
    out.set_name(random.chance() ? "Black \"Pearl\"\n\t\\" : "Straße");
    out.set_tonnage(random.below(1000));
    for (std::size_t i = random.below(3); i > 0; --i) out.add_escort_ids(random.of(ships).toBytes());
    if (random.chance()) out.set_sister_id(random.of(ships).toBytes());
    for (std::size_t i = random.below(3); i > 0; --i) out.add_cargo()->add_owner_ids(random.of(captains).toBytes());
    for (std::size_t i = random.below(3); i > 0; --i) {
        auto* berth = out.add_berths();
        berth->set_id(random.id().toBytes());
        if (random.chance()) berth->set_guest_id(random.of(captains).toBytes());
        if (random.chance()) berth->mutable_comfort()->set_pillows(2);
    }
    return out;
}

}  // namespace

void Cloud::commit(const std::function<Result<void>(Transaction&)>& body) {
    const auto done = store_->transact(body);
    ASSERT_TRUE(done) << done.error().message;
}

void Cloud::write(const nsdb::RecordKey& key, std::optional<std::string> value) {
    nsdb::Batch batch;
    batch.writes.push_back({key, std::move(value)});
    ASSERT_TRUE(backend().commit(std::move(batch)));
}

Image Cloud::image() {
    auto image = readImage(backend(), kAllRoots);
    EXPECT_TRUE(image);
    return *image;
}

std::string Cloud::dump(bool withLeased) {
    const auto text = maintenance::dump(*store_, nsdb::fleetSchema(), {.withLeased = withLeased});
    EXPECT_TRUE(text) << text.error().message;
    return text.value_or("");
}

std::unique_ptr<nsdb::Session> Cloud::session(const std::function<void(nsdb::Session&)>& fill) {
    auto session = store_->openSession(*loop_, std::chrono::seconds(10));
    loop_->runReady();
    fill(*session);
    loop_->runReady();
    return session;
}

void fillAtRandom(Cloud& cloud, unsigned seed) {
    Random random(seed);
    std::vector<Uuid> harbours, captains, ships;
    cloud.commit([&](Transaction& t) -> Result<void> {
        harbours.clear();
        captains.clear();
        for (std::size_t i = 0; i <= random.below(5); ++i) {
            auto harbour = nsdb::harbour(harbours.emplace_back(random.id()), fmt::format("harbour {}", i));
            harbour.set_number(static_cast<std::uint32_t>(i));
            TRY_VOID(t.create(harbour));
        }
        for (std::size_t i = 0; i <= random.below(9); ++i)
            TRY_VOID(t.create(nsdb::captain(captains.emplace_back(random.id()), random.chance() ? random.of(harbours) : Uuid{})));
        return {};
    });
    cloud.commit([&](Transaction& t) -> Result<void> {
        ships.clear();
        for (std::size_t i = 0; i <= random.below(20); ++i) TRY_VOID(t.create(nsdb::ship(ships.emplace_back(random.id()))));
        std::size_t captain = 0;
        for (const auto& id : ships) {
            auto ship = shipAtRandom(random, id, harbours, captains, ships);
            if (captain < captains.size() && random.chance()) ship.set_captain_id(captains[captain++].toBytes());
            TRY_VOID(t.update(ship));
            TRY_VOID(t.putPersistent("Ship/" + id.toString() + "/crew/0", "02:00:00:00:00:01", id.toString()));
            TRY(number, t.next("berths"));
            static_cast<void>(number);
        }
        return t.putPersistent("charts", std::string("\0/\xff", 3), "");
    });
}

std::string withoutHeader(const std::string& dump) { return dump.substr(dump.find('\n') + 1); }

Result<Contents> parse(const std::string& dump) {
    std::istringstream in(dump);
    return readDump(in, nsdb::fleetSchema());
}

Result<Contents> parseLines(const std::string& lines) {
    return parse("{\"dump\":\"midonet-nsdb\",\"format\":1,\"schema\":1}\n" + lines + "\n{\"end\":0}\n");
}

}  // namespace midonet::maintenance

// Sequences of requests made from the description of the API: good, nearly good, and broken. Nothing they do may crash the service,
// be answered 500 or with a body that is none, or leave something in the store that cannot be right.
#include <gtest/gtest.h>

#include <cstdlib>
#include <set>

#include "maintenance/contents.h"
#include "maintenance/verify.h"
#include "model/ids.h"
#include "model/topology.pb.h"
#include "nsdb/object_store.h"
#include "random_requests.h"
#include "rest/media_type.h"
#include "rest/topology_api.h"

namespace midonet::rest::testing {
namespace {

class RandomRequests : public ::testing::Test {
protected:
    RandomRequests() {
        addTopology(objects_, *authenticator_);
        addConf(objects_, conf::Catalogue{});
        addHost();
        addHost();
    }

    void run(std::uint64_t seed, std::size_t count) {
        Dice dice(seed);
        Requestmaker maker(dice, known_, service_, [this](const http::Request& request) { return ask(request); });
        for (std::size_t step = 0; step < count && !HasFailure(); ++step) {
            SCOPED_TRACE(fmt::format("seed {}, step {}", seed, step));
            const auto request = maker.make(dice.oneOf(std::vector<std::size_t>{0, 0, 10, 40}));
            check(request, ask(request));
            if (step % 500 == 499) verify();
            if (known_.size() > 400) startAnew();
        }
        verify();
    }
    std::map<int, std::size_t> statuses_;

private:
    void addHost() {
        model::Host host;
        const auto id = Uuid::random();
        model::setId(host, id);
        host.set_name("host");
        EXPECT_TRUE(store_->transact([&](nsdb::Transaction& t) { return t.create(host); }));
        hosts_.push_back(id);
        known_.add("/hosts/" + id.toString());
    }
    /// Forgetting what there is keeps answers short; the store goes on.
    void startAnew() {
        known_.forget();
        for (const auto& schema : model::Schema::get().classes()) {
            if (schema->rest.empty() || schema->name == "Host") continue;
            const auto ids = (*store_->view())->ids(schema->type).value();
            for (const auto& id : ids) ask(requestOf(Method::Delete, fmt::format("/midonet-api/{}/{}", schema->rest, id)));
        }
        for (const auto& host : hosts_) known_.add("/hosts/" + host.toString());
    }

    http::Response ask(const http::Request& request) {
        auto response = askService(service_, request);
        ++statuses_[response.status];
        return response;
    }

    void check(const http::Request& request, const http::Response& response) {
        const auto what = fmt::format("{} {} {} -> {} {}", http::toString(request.method), request.target, request.body, response.status, response.body);
        static const std::set<int> kExpected{200, 201, 204, 304, 400, 403, 404, 405, 406, 409, 412, 415, 503};
        EXPECT_TRUE(kExpected.contains(response.status)) << what;
        const auto type = response.headers.find("Content-Type").value_or("");
        if (response.status >= 400) EXPECT_EQ(type, kErrorType) << what;
        EXPECT_EQ(response.body.empty(), type.empty() || response.status == 304) << what;
        boost::system::error_code error;
        if (!response.body.empty()) json::parse(response.body, error);
        EXPECT_FALSE(error) << what;
        if (request.method == Method::Delete && response.status / 100 == 2) known_.remove(request.target.substr(12));
        if (response.status != 201) return;
        const auto location = response.headers.find("Location");
        if (!location) return;
        const auto path = location->substr(location->find("/midonet-api") + 12);
        EXPECT_EQ(ask(requestOf(Method::Get, "/midonet-api" + std::string{path})).status, 200) << what << " at " << path;
        known_.add(std::string{path});
    }
    void verify() {
        const auto image = maintenance::readImage(nsdb::backendOf(*store_), maintenance::kAllRoots);
        ASSERT_TRUE(image) << image.error().message;
        for (const auto& finding : maintenance::verify(*image, model::Schema::get())) ADD_FAILURE() << finding.what;
    }

    std::unique_ptr<nsdb::Store> store_ = nsdb::openMemory();
    event::BlockingPool pool_{1, 16};
    std::unique_ptr<Authenticator> authenticator_ = makeMockAuthenticator();
    Service service_{pool_, pool_, *authenticator_};
    ObjectApi objects_{service_, *store_};
    Known known_;
    std::vector<Uuid> hosts_;
};

std::uint64_t fromEnvironment(const char* name, std::uint64_t otherwise) {
    const char* text = std::getenv(name);
    return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

/// More by hand: MIDONET_RANDOM_REQUESTS=1000000 MIDONET_SEED=7 rest_test --gtest_filter='RandomRequests.*'
TEST_F(RandomRequests, BreakNothing) {
    run(fromEnvironment("MIDONET_SEED", 1), fromEnvironment("MIDONET_RANDOM_REQUESTS", 10'000));
    for (const auto& [status, count] : statuses_) std::printf("%d: %zu\n", status, count);
    for (const int status : {200, 201, 204, 400, 404, 409}) EXPECT_GT(statuses_[status], 0U) << "no request was answered " << status;
}

}  // namespace
}  // namespace midonet::rest::testing

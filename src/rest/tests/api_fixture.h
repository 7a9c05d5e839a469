#pragma once

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <future>
#include <memory>
#include <string>
#include <thread>

#include "http/testing/client.h"
#include "model/ids.h"
#include "model/state.pb.h"
#include "model/topology.pb.h"
#include "nsdb/store.h"
#include "rest/api_server.h"

namespace midonet::rest::testing {

namespace json = boost::json;
using http::Headers;
using http::Response;

/// The media type of an item, as a client writes it.
inline std::string vnd(const std::string& name) { return "application/vnd.org.midonet." + name + "+json"; }
inline std::string vndList(const std::string& name) { return "application/vnd.org.midonet.collection." + name + "+json"; }

inline json::value parsed(const Response& response) {
    boost::system::error_code error;
    auto value = json::parse(response.body, error);
    EXPECT_FALSE(error) << response.body;
    return value;
}
inline std::string text(const json::value& object, std::string_view key) {
    const auto* value = object.as_object().if_contains({key.data(), key.size()});
    if (value == nullptr) return "<absent>";
    if (value->is_null()) return "<null>";
    return value->is_string() ? std::string{value->as_string()} : json::serialize(*value);
}

/// An API server on a store in memory, with its control loop on a thread, and one client connection.
class ApiTest : public ::testing::Test {
protected:
    void SetUp() override { startServer(); }
    void TearDown() override { stopServer(); }

    virtual std::unique_ptr<Authenticator> makeAuthenticator() { return makeMockAuthenticator(); }
    void startServer(ApiOptions options = {}) {
        options.listen = "127.0.0.1:0";
        if (options.threads == 0) options.threads = 1;
        loop_ = event::Loop::create("control");
        auto server = ApiServer::start(*loop_, *store_, registry_, makeAuthenticator(), options);
        ASSERT_TRUE(server) << server.error().message;
        server_ = std::move(*server);
        thread_ = std::thread([this] { loop_->run(); });
        client_ = std::make_unique<http::testing::Client>(server_->address());
    }
    void stopServer() {
        if (!loop_) return;
        client_.reset();
        onLoop([this] { session_.reset(); });
        loop_->stop();
        thread_.join();
        server_.reset();
        loop_.reset();
    }
    /// Runs on the control loop and waits.
    void onLoop(const std::function<void()>& f) {
        std::promise<void> done;
        loop_->post([&] {
            f();
            done.set_value();
        });
        done.get_future().wait();
    }

    Response ask(std::string_view method, std::string_view path, std::string_view body = {}, Headers headers = {}) {
        std::string target{path};
        if (target.starts_with('/') && !target.starts_with("/midonet-api") && !target.starts_with("/metrics") && !target.starts_with("/healthz")) target = "/midonet-api" + target;
        if (const auto scheme = target.find("://"); scheme != target.npos) target = target.substr(target.find('/', scheme + 3));
        auto response = client_->ask(method, target, body, headers);
        if (!response) {  // the server ended the connection after an error
            client_ = std::make_unique<http::testing::Client>(server_->address());
            response = client_->ask(method, target, body, headers);
        }
        EXPECT_TRUE(response) << method << " " << target;
        if (response && response->headers.find("Connection")) client_ = std::make_unique<http::testing::Client>(server_->address());
        return response.value_or(Response{});
    }
    Response get(std::string_view path, const std::string& accept = "") {
        Headers headers;
        if (!accept.empty()) headers.add("Accept", accept);
        return ask("GET", path, {}, headers);
    }
    /// The elements of a list.
    json::array listed(std::string_view path, const std::string& accept = "") { return parsed(get(path, accept)).as_array(); }
    Response post(std::string_view path, std::string_view body, const std::string& type = "application/json") {
        Headers headers;
        headers.add("Content-Type", type);
        return ask("POST", path, body, headers);
    }
    Response put(std::string_view path, std::string_view body, const std::string& type = "application/json") {
        Headers headers;
        headers.add("Content-Type", type);
        return ask("PUT", path, body, headers);
    }
    Response del(std::string_view path) { return ask("DELETE", path); }
    int status(std::string_view method, std::string_view path, std::string_view body = "{}") {
        Headers headers;
        headers.add("Content-Type", "application/json");
        return ask(method, path, body, headers).status;
    }
    /// Creates, follows Location, returns the object.
    json::value create(std::string_view path, std::string_view body) {
        const auto response = post(path, body);
        EXPECT_EQ(response.status, 201) << path << " " << body << " " << response.body;
        EXPECT_TRUE(response.body.empty());
        const auto location = response.headers.find("Location");
        if (!location) return json::object{};
        return parsed(get(*location));
    }
    std::string createBridge(std::string_view body = R"({"name":"b"})") { return text(create("/bridges", body), "id"); }
    std::string createPort(const std::string& bridge, std::string_view body = R"({"type":"Bridge"})") {
        return text(create("/bridges/" + bridge + "/ports", body), "id");
    }
    std::string createRouter(std::string_view body = R"({"name":"r"})") { return text(create("/routers", body), "id"); }
    std::string createRouterPort(const std::string& router, std::string_view more = "") {
        return text(create("/routers/" + router + "/ports", R"({"type":"Router")" + std::string{more} + "}"), "id");
    }
    std::string createChain(std::string_view body = R"({"name":"c"})") { return text(create("/chains", body), "id"); }
    std::string createRule(const std::string& chain, std::string_view body) { return text(create("/chains/" + chain + "/rules", body), "id"); }
    /// The property a body is refused for: 400.
    std::string violation(const Response& response) {
        EXPECT_EQ(response.status, 400) << response.body;
        const auto body = parsed(response);
        const auto* list = body.as_object().if_contains("violations");
        return list == nullptr || list->as_array().empty() ? "<none>" : text(list->at(0), "property");
    }
    std::string createZone(const std::string& name = "z", const std::string& type = "vxlan") {
        return text(create("/tunnel_zones", R"({"name":")" + name + R"(","type":")" + type + "\"}"), "id");
    }

    /// What an agent does when it registers.
    std::string addHost(const std::string& name = "host") {
        model::Host host;
        const auto id = Uuid::random();
        host.set_id(model::bytesOf(id));
        host.set_name(name);
        host.set_flooding_proxy_weight(1);
        host.set_container_weight(1);
        host.set_container_limit(-1);
        EXPECT_TRUE(store_->transact([&](nsdb::Transaction& t) { return t.create(host); }));
        return id.toString();
    }
    void putState(nsdb::Class type, const std::string& id, const std::string& key, const google::protobuf::MessageLite& state) {
        putStateText(type, id, key, state.SerializeAsString());
    }
    void putStateText(nsdb::Class type, const std::string& id, const std::string& key, const std::string& value) {
        std::promise<void> done;
        onLoop([&] {
            if (!session_) session_ = store_->openSession(*loop_, std::chrono::seconds{10});
            session_->putState(type, *Uuid::parse(id), key, value);
            session_->flush([&] { done.set_value(); });
        });
        done.get_future().wait();
    }
    void setAlive(const std::string& host) { putState(model::Host::descriptor(), host, "alive", model::HostAlive{}); }
    void addMember(const std::string& zone, const std::string& host, const std::string& address = "10.0.0.1") {
        create("/tunnel_zones/" + zone + "/hosts", R"({"hostId":")" + host + R"(","ipAddress":")" + address + "\"}");
    }

    std::unique_ptr<nsdb::Store> store_ = nsdb::openMemory();
    metrics::Registry registry_;
    std::unique_ptr<event::Loop> loop_;
    std::unique_ptr<nsdb::Session> session_;
    std::unique_ptr<ApiServer> server_;
    std::thread thread_;
    std::unique_ptr<http::testing::Client> client_;
};

inline const std::string kNobody = "99999999-9999-9999-9999-999999999999";

}  // namespace midonet::rest::testing

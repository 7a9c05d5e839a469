// The tool knows no class by name: every class of the topology, each field filled, comes through a dump as it was.
#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include "cloud.h"
#include "maintenance/load.h"
#include "maintenance/verify.h"
#include "model/ids.h"

namespace midonet::maintenance {
namespace {

using google::protobuf::FieldDescriptor;
using model::FieldSchema;

/// One object of each class; they name each other.
class Topology {
public:
    Topology() {
        for (const auto& schema : schema_.classes()) ids_[schema->type] = Uuid::random();
        for (const bool references : {false, true})
            for (const auto& schema : schema_.classes()) write(*schema, references);
    }
    nsdb::Store& store() { return *store_; }

private:
    void write(const model::ClassSchema& schema, bool references) {
        const auto object = schema.make();
        fill(*object, schema.fields, references);
        model::setId(*object, ids_.at(schema.type));
        const auto done = store_->transact([&](nsdb::Transaction& t) { return references ? t.update(*object) : t.create(*object); });
        EXPECT_TRUE(done) << schema.name << ": " << done.error().message;
    }
    void fill(model::Message& object, const std::vector<FieldSchema>& fields, bool references) const {
        for (const auto& field : fields)
            if (references || !field.reference) set(object, field, references);
    }
    void set(model::Message& object, const FieldSchema& field, bool references) const {
        const auto* f = field.field;
        const auto& r = *object.GetReflection();
        const bool list = f->is_repeated();
        switch (f->cpp_type()) {
            case FieldDescriptor::CPPTYPE_BOOL: return r.SetBool(&object, f, true);
            case FieldDescriptor::CPPTYPE_INT32: return r.SetInt32(&object, f, 7);
            case FieldDescriptor::CPPTYPE_INT64: return r.SetInt64(&object, f, INT64_MAX);
            case FieldDescriptor::CPPTYPE_UINT32: return r.SetUInt32(&object, f, 7);
            case FieldDescriptor::CPPTYPE_UINT64: return r.SetUInt64(&object, f, 7);
            case FieldDescriptor::CPPTYPE_ENUM: return r.SetEnumValue(&object, f, 1);
            case FieldDescriptor::CPPTYPE_STRING: return list ? r.AddString(&object, f, text(field)) : r.SetString(&object, f, text(field));
            case FieldDescriptor::CPPTYPE_MESSAGE:
                return fill(list ? *r.AddMessage(&object, f) : *r.MutableMessage(&object, f), field.embedded, references);
            case FieldDescriptor::CPPTYPE_DOUBLE:
            case FieldDescriptor::CPPTYPE_FLOAT: FAIL() << field.name << " is of a type no field has yet";
        }
    }
    std::string text(const FieldSchema& field) const {
        switch (field.format) {
            case model::Format::Uuid: return model::bytesOf(field.reference ? ids_.at(field.reference->target) : Uuid::random());
            case model::Format::Mac: return "02:00:00:00:00:01";
            case model::Format::Ipv4:
            case model::Format::Ip: return "10.0.0.1";
            case model::Format::IpPrefix: return "10.0.0.0/8";
            case model::Format::Plain: return "x";
        }
        return {};
    }

    const model::Schema& schema_ = model::Schema::get();
    std::map<model::Class, Uuid> ids_;
    std::unique_ptr<nsdb::Store> store_ = nsdb::openMemory();
};

TEST(Topology, ComesThroughADumpAsItWas) {
    const auto& schema = model::Schema::get();
    Topology topology;
    const auto text = dump(topology.store(), schema, {});
    ASSERT_TRUE(text) << text.error().message;
    std::istringstream in(*text);
    const auto contents = readDump(in, schema);
    ASSERT_TRUE(contents) << contents.error().message;
    const auto other = nsdb::openMemory();
    const auto loaded = load(*other, schema, *contents);
    ASSERT_TRUE(loaded) << loaded.error().message;
    EXPECT_EQ(loaded->objects, schema.classes().size());
    EXPECT_EQ(withoutHeader(*dump(*other, schema, {})), withoutHeader(*text));
    const auto image = readImage(nsdb::backendOf(*other), kAllRoots);
    ASSERT_TRUE(image);
    for (const auto& finding : verify(*image, schema)) ADD_FAILURE() << finding.what;
}

}  // namespace
}  // namespace midonet::maintenance

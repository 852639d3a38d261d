#include "chroma/detail/pickle.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <string>

#include "core/error.hpp"

namespace decant::chroma::detail {
namespace {

enum class Opcode : std::uint8_t {
    proto = 0x80,
    frame = 0x95,
    short_binunicode = 0x8c,
    binunicode = 0x58,
    binunicode8 = 0x8d,
    memoize = 0x94,
    binget = 0x68,
    long_binget = 0x6a,
    binput = 0x71,
    long_binput = 0x72,
    stack_global = 0x93,
    global = 0x63,
    empty_tuple = 0x29,
    newobj = 0x81,
    empty_dict = 0x7d,
    mark = 0x28,
    setitems = 0x75,
    setitem = 0x73,
    binint1 = 0x4b,
    binint2 = 0x4d,
    binint = 0x4a,
    long1 = 0x8a,
    none = 0x4e,
    newtrue = 0x88,
    newfalse = 0x89,
    build = 0x62,
    stop = 0x2e,
};

struct Value {
    enum class Kind : std::uint8_t { none, boolean, integer, text, mark, empty_tuple, dict, persistent_class, object };
    Kind kind = Kind::none;
    std::uint32_t length = 0;  ///< of a text
    std::int64_t number = 0;   ///< an integer, the offset of a text, the index of a dict
};

struct Item {
    Value key;
    Value value;
};

/// A dict whose items are not wanted (label_to_id, id_to_seq_id: as large as id_to_label) keeps none.
struct Dict {
    bool is_wanted = true;
    std::vector<Item> items;
};

class Unpickler {
public:
    explicit Unpickler(std::span<const std::byte> bytes)
        : data_(reinterpret_cast<const char*>(bytes.data())), size_(bytes.size()) {}

    PersistedLabels run() {
        while (true) {
            const auto opcode = static_cast<Opcode>(read_little_endian(1));
            if (opcode == Opcode::stop) {
                return collect();
            }
            execute(opcode);
        }
    }

private:
    [[noreturn]] void refuse(std::string_view why) const {
        throw Error{ErrorCode::source_unreadable,
                    fmt::format("index_metadata.pickle: {} at byte {} of {}.", why, at_, size_),
                    "vectors that only the HNSW files hold cannot be had without it; restore it from a backup"};
    }

    void execute(Opcode opcode) {
        switch (opcode) {
            case Opcode::proto:
                skip(1);
                break;
            case Opcode::frame:
                skip(8);
                break;
            case Opcode::short_binunicode:
                push_text(read_little_endian(1));
                break;
            case Opcode::binunicode:
                push_text(read_little_endian(4));
                break;
            case Opcode::binunicode8:
                push_text(read_little_endian(8));
                break;
            case Opcode::memoize:
                memo_.push_back(top());
                break;
            case Opcode::binput:
                put_memo(read_little_endian(1));
                break;
            case Opcode::long_binput:
                put_memo(read_little_endian(4));
                break;
            case Opcode::binget:
                push_memo(read_little_endian(1));
                break;
            case Opcode::long_binget:
                push_memo(read_little_endian(4));
                break;
            case Opcode::binint1:
                push_integer(static_cast<std::int64_t>(read_little_endian(1)));
                break;
            case Opcode::binint2:
                push_integer(static_cast<std::int64_t>(read_little_endian(2)));
                break;
            case Opcode::binint:
                push_integer(static_cast<std::int32_t>(read_little_endian(4)));
                break;
            case Opcode::long1:
                push_long(read_little_endian(1));
                break;
            case Opcode::none:
                stack_.push_back({});
                break;
            case Opcode::newtrue:
            case Opcode::newfalse:
                stack_.push_back({.kind = Value::Kind::boolean});
                break;
            case Opcode::mark:
                stack_.push_back({.kind = Value::Kind::mark});
                break;
            case Opcode::empty_tuple:
                stack_.push_back({.kind = Value::Kind::empty_tuple});
                break;
            case Opcode::empty_dict:
                push_dict();
                break;
            case Opcode::setitems:
                set_items();
                break;
            case Opcode::setitem:
                set_item();
                break;
            case Opcode::stack_global:
                name_class_from_stack();
                break;
            case Opcode::global:
                name_class_from_lines();
                break;
            case Opcode::newobj:
                make_object();
                break;
            case Opcode::build:
                build_object();
                break;
            default:
                refuse(fmt::format("opcode 0x{:02x}, which no Chroma writes,", static_cast<unsigned>(opcode)));
        }
    }

    void skip(std::size_t count) {
        if (count > size_ - at_) {
            refuse("it is cut off");
        }
        at_ += count;
    }

    std::uint64_t read_little_endian(std::size_t count) {
        const std::size_t start = at_;
        skip(count);
        std::uint64_t value = 0;
        for (std::size_t i = count; i > 0; --i) {
            value = value << 8U | static_cast<unsigned char>(data_[start + i - 1]);
        }
        return value;
    }

    void push_text(std::uint64_t length) {
        if (length > size_ - at_ || length > 0xffffffffU) {
            refuse("it is cut off");
        }
        stack_.push_back({.kind = Value::Kind::text,
                          .length = static_cast<std::uint32_t>(length),
                          .number = static_cast<std::int64_t>(at_)});
        at_ += length;
    }

    void push_integer(std::int64_t value) { stack_.push_back({.kind = Value::Kind::integer, .number = value}); }

    void push_long(std::uint64_t length) {
        if (length > 8) {
            refuse("an integer of more than 64 bits");
        }
        const std::uint64_t raw = read_little_endian(length);
        const auto unused_bits = static_cast<unsigned>(64 - 8 * length);
        // Two's complement of the given length, widened.
        push_integer(length == 0 ? 0 : static_cast<std::int64_t>(raw << unused_bits) >> unused_bits);
    }

    Value& top() {
        if (stack_.empty()) {
            refuse("an empty stack");
        }
        return stack_.back();
    }

    Value pop() {
        const Value value = top();
        stack_.pop_back();
        return value;
    }

    void put_memo(std::uint64_t slot) {
        if (slot > memo_.size()) {
            refuse("a memo slot out of order");
        }
        if (slot == memo_.size()) {
            memo_.push_back(top());
        } else {
            memo_[slot] = top();
        }
    }

    void push_memo(std::uint64_t slot) {
        if (slot >= memo_.size()) {
            refuse("an unknown memo slot");
        }
        stack_.push_back(memo_[slot]);
    }

    void push_dict() {
        const bool is_named = !stack_.empty() && stack_.back().kind == Value::Kind::text;
        const std::string_view name = is_named ? text_of(stack_.back()) : std::string_view{};
        dicts_.push_back({.is_wanted = name != "label_to_id" && name != "id_to_seq_id", .items = {}});
        stack_.push_back({.kind = Value::Kind::dict, .number = static_cast<std::int64_t>(dicts_.size() - 1)});
    }

    Dict& dict_of(const Value& value) {
        if (value.kind != Value::Kind::dict) {
            refuse("items set on something that is no dict");
        }
        return dicts_[static_cast<std::size_t>(value.number)];
    }

    void set_items() {
        const auto mark = std::find_if(stack_.rbegin(), stack_.rend(),
                                       [](const Value& value) { return value.kind == Value::Kind::mark; });
        if (mark == stack_.rend()) {
            refuse("SETITEMS without MARK");
        }
        const auto first = static_cast<std::size_t>(stack_.rend() - mark);
        if (first < 2 || (stack_.size() - first) % 2 != 0) {
            refuse("SETITEMS with half an item");
        }
        Dict& dict = dict_of(stack_[first - 2]);
        if (dict.is_wanted) {
            for (std::size_t i = first; i < stack_.size(); i += 2) {
                dict.items.push_back({stack_[i], stack_[i + 1]});
            }
        }
        stack_.resize(first - 1);
    }

    void set_item() {
        const Value value = pop();
        const Value key = pop();
        Dict& dict = dict_of(top());
        if (dict.is_wanted) {
            dict.items.push_back({key, value});
        }
    }

    void name_class_from_stack() {
        const Value name = pop();
        const Value module = pop();
        if (module.kind != Value::Kind::text || name.kind != Value::Kind::text) {
            refuse("a class without name");
        }
        push_class(text_of(name));
    }

    void name_class_from_lines() {
        read_line();
        push_class(read_line());
    }

    std::string_view read_line() {
        const std::string_view rest{data_ + at_, size_ - at_};
        const std::size_t end = rest.find('\n');
        if (end == std::string_view::npos) {
            refuse("it is cut off");
        }
        at_ += end + 1;
        return rest.substr(0, end);
    }

    void push_class(std::string_view name) {
        if (name != "PersistentData") {
            refuse("a class that is not Chroma's PersistentData");
        }
        stack_.push_back({.kind = Value::Kind::persistent_class});
    }

    void make_object() {
        if (pop().kind != Value::Kind::empty_tuple || pop().kind != Value::Kind::persistent_class) {
            refuse("an object made with arguments");
        }
        stack_.push_back({.kind = Value::Kind::object});
    }

    void build_object() {
        const Value state = pop();
        if (top().kind != Value::Kind::object || state.kind != Value::Kind::dict || object_state_) {
            refuse("a state for something that is not Chroma's PersistentData");
        }
        object_state_ = state;
    }

    std::string_view text_of(const Value& value) const {
        return {data_ + value.number, static_cast<std::size_t>(value.length)};
    }

    const Value* find(const Dict& dict, std::string_view wanted) const {
        const auto item = std::find_if(dict.items.rbegin(), dict.items.rend(), [&](const Item& each) {
            return each.key.kind == Value::Kind::text && text_of(each.key) == wanted;
        });
        return item == dict.items.rend() ? nullptr : &item->value;
    }

    PersistedLabels collect() {
        const Value result = pop();
        if (!stack_.empty() || (result.kind == Value::Kind::object && !object_state_)) {
            refuse("values left over");
        }
        const Dict& fields = dict_of(result.kind == Value::Kind::object ? *object_state_ : result);
        const Value* labels = find(fields, "id_to_label");
        if (labels == nullptr || !dict_of(*labels).is_wanted) {
            refuse("no id_to_label");
        }
        PersistedLabels collected{.entries = labels_of(dict_of(*labels)), .max_seq_id = std::nullopt};
        const Value* newest = find(fields, "max_seq_id");
        if (newest != nullptr && newest->kind == Value::Kind::integer && newest->number >= 0) {
            collected.max_seq_id = static_cast<std::uint64_t>(newest->number);
        }
        return collected;
    }

    std::vector<LabelledId> labels_of(const Dict& labels) const {
        std::vector<LabelledId> entries;
        entries.reserve(labels.items.size());
        for (const Item& item : labels.items) {
            if (item.key.kind != Value::Kind::text || item.value.kind != Value::Kind::integer ||
                item.value.number < 0) {
                refuse("an id_to_label that is not of texts and labels");
            }
            entries.push_back({text_of(item.key), static_cast<std::uint64_t>(item.value.number)});
        }
        return entries;
    }

    const char* data_;
    std::size_t size_;
    std::size_t at_ = 0;
    std::vector<Value> stack_;
    std::vector<Value> memo_;
    std::vector<Dict> dicts_;
    std::optional<Value> object_state_;
};

}  // namespace

PersistedLabels read_index_pickle(std::span<const std::byte> pickle) {
    return Unpickler{pickle}.run();
}

}  // namespace decant::chroma::detail

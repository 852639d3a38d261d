#include "chroma/detail/pickle.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>

#include "core/error.hpp"

namespace decant::chroma::detail {
namespace {

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
        static const InstructionSet instructions = make_instructions();
        constexpr std::uint64_t stop = 0x2e;
        for (std::uint64_t opcode = read_little_endian(1); opcode != stop; opcode = read_little_endian(1)) {
            const Instruction& instruction = instructions[opcode];
            if (instruction.act == nullptr) refuse(fmt::format("opcode 0x{:02x}, which no Chroma writes,", opcode));
            (this->*instruction.act)(read_little_endian(instruction.operand_bytes));
        }
        return collect();
    }

private:
    /// What an opcode does with its operand, a little-endian number of 0 to 8 bytes.
    struct Instruction {
        std::size_t operand_bytes = 0;
        void (Unpickler::*act)(std::uint64_t operand) = nullptr;
    };
    using InstructionSet = std::array<Instruction, 256>;

    static InstructionSet make_instructions() {
        using Kind = Value::Kind;
        InstructionSet set;
        set[0x80] = {1, &Unpickler::pass_by};                      // PROTO
        set[0x95] = {8, &Unpickler::pass_by};                      // FRAME
        set[0x8c] = {1, &Unpickler::push_text};                    // SHORT_BINUNICODE
        set[0x58] = {4, &Unpickler::push_text};                    // BINUNICODE
        set[0x8d] = {8, &Unpickler::push_text};                    // BINUNICODE8
        set[0x94] = {0, &Unpickler::memoize};                      // MEMOIZE
        set[0x71] = {1, &Unpickler::put_memo};                     // BINPUT
        set[0x72] = {4, &Unpickler::put_memo};                     // LONG_BINPUT
        set[0x68] = {1, &Unpickler::push_memo};                    // BINGET
        set[0x6a] = {4, &Unpickler::push_memo};                    // LONG_BINGET
        set[0x4b] = {1, &Unpickler::push_integer<std::uint8_t>};   // BININT1
        set[0x4d] = {2, &Unpickler::push_integer<std::uint16_t>};  // BININT2
        set[0x4a] = {4, &Unpickler::push_integer<std::int32_t>};   // BININT
        set[0x8a] = {1, &Unpickler::push_long};                    // LONG1
        set[0x4e] = {0, &Unpickler::push<Kind::none>};             // NONE
        set[0x88] = {0, &Unpickler::push<Kind::boolean>};          // NEWTRUE
        set[0x89] = {0, &Unpickler::push<Kind::boolean>};          // NEWFALSE
        set[0x28] = {0, &Unpickler::push<Kind::mark>};             // MARK
        set[0x29] = {0, &Unpickler::push<Kind::empty_tuple>};      // EMPTY_TUPLE
        set[0x7d] = {0, &Unpickler::push_dict};                    // EMPTY_DICT
        set[0x75] = {0, &Unpickler::set_items};                    // SETITEMS
        set[0x73] = {0, &Unpickler::set_item};                     // SETITEM
        set[0x93] = {0, &Unpickler::name_class_from_stack};        // STACK_GLOBAL
        set[0x63] = {0, &Unpickler::name_class_from_lines};        // GLOBAL
        set[0x81] = {0, &Unpickler::make_object};                  // NEWOBJ
        set[0x62] = {0, &Unpickler::build_object};                 // BUILD
        return set;
    }

    [[noreturn]] void refuse(std::string_view why) const {
        throw Error{ErrorCode::source_unreadable,
                    fmt::format("index_metadata.pickle: {} at byte {} of {}.", why, at_, size_),
                    "vectors that only the HNSW files hold cannot be had without it; restore it from a backup"};
    }

    void require(bool holds, std::string_view why_not) const {
        if (!holds) refuse(why_not);
    }

    std::uint64_t read_little_endian(std::size_t count) {
        require(count <= size_ - at_, "it is cut off");
        std::uint64_t value = 0;
        for (std::size_t i = count; i > 0; --i)
            value = value << 8U | static_cast<unsigned char>(data_[at_ + i - 1]);
        at_ += count;
        return value;
    }

    void pass_by(std::uint64_t) {}

    void push_text(std::uint64_t length) {
        require(length <= size_ - at_ && length <= 0xffffffffU, "it is cut off");
        stack_.push_back({.kind = Value::Kind::text,
                          .length = static_cast<std::uint32_t>(length),
                          .number = static_cast<std::int64_t>(at_)});
        at_ += length;
    }

    template <typename Stored>
    void push_integer(std::uint64_t value) {
        stack_.push_back({.kind = Value::Kind::integer, .number = static_cast<Stored>(value)});
    }

    void push_long(std::uint64_t length) {
        require(length <= 8, "an integer of more than 64 bits");
        const std::uint64_t raw = read_little_endian(length);
        const auto unused_bits = static_cast<unsigned>(64 - 8 * length);
        // Two's complement of the given length, widened.
        const std::int64_t value = length == 0 ? 0 : static_cast<std::int64_t>(raw << unused_bits) >> unused_bits;
        stack_.push_back({.kind = Value::Kind::integer, .number = value});
    }

    template <Value::Kind kind>
    void push(std::uint64_t) {
        stack_.push_back({.kind = kind});
    }

    Value& top() {
        require(!stack_.empty(), "an empty stack");
        return stack_.back();
    }

    Value pop() {
        const Value value = top();
        stack_.pop_back();
        return value;
    }

    void memoize(std::uint64_t) { memo_.push_back(top()); }

    void put_memo(std::uint64_t slot) {
        require(slot <= memo_.size(), "a memo slot out of order");
        if (slot == memo_.size()) return memo_.push_back(top());
        memo_[slot] = top();
    }

    void push_memo(std::uint64_t slot) {
        require(slot < memo_.size(), "an unknown memo slot");
        stack_.push_back(memo_[slot]);
    }

    void push_dict(std::uint64_t) {
        const bool is_named = !stack_.empty() && stack_.back().kind == Value::Kind::text;
        const std::string_view name = is_named ? text_of(stack_.back()) : std::string_view{};
        dicts_.push_back({.is_wanted = name != "label_to_id" && name != "id_to_seq_id", .items = {}});
        stack_.push_back({.kind = Value::Kind::dict, .number = static_cast<std::int64_t>(dicts_.size() - 1)});
    }

    Dict& dict_of(const Value& value) {
        require(value.kind == Value::Kind::dict, "items set on something that is no dict");
        return dicts_[static_cast<std::size_t>(value.number)];
    }

    void set_items(std::uint64_t) {
        const auto mark = std::find_if(stack_.rbegin(), stack_.rend(),
                                       [](const Value& value) { return value.kind == Value::Kind::mark; });
        require(mark != stack_.rend(), "SETITEMS without MARK");
        const auto first = static_cast<std::size_t>(stack_.rend() - mark);
        require(first >= 2 && (stack_.size() - first) % 2 == 0, "SETITEMS with half an item");
        Dict& dict = dict_of(stack_[first - 2]);
        for (std::size_t i = first; dict.is_wanted && i < stack_.size(); i += 2)
            dict.items.push_back({stack_[i], stack_[i + 1]});
        stack_.resize(first - 1);
    }

    void set_item(std::uint64_t) {
        const Value value = pop();
        const Value key = pop();
        Dict& dict = dict_of(top());
        if (dict.is_wanted) dict.items.push_back({key, value});
    }

    void name_class_from_stack(std::uint64_t) {
        const Value name = pop();
        const Value module = pop();
        require(module.kind == Value::Kind::text && name.kind == Value::Kind::text, "a class without name");
        push_class(text_of(name));
    }

    void name_class_from_lines(std::uint64_t) {
        read_line();
        push_class(read_line());
    }

    std::string_view read_line() {
        const std::string_view rest{data_ + at_, size_ - at_};
        const std::size_t end = rest.find('\n');
        require(end != std::string_view::npos, "it is cut off");
        at_ += end + 1;
        return rest.substr(0, end);
    }

    void push_class(std::string_view name) {
        require(name == "PersistentData", "a class that is not Chroma's PersistentData");
        push<Value::Kind::persistent_class>(0);
    }

    void make_object(std::uint64_t) {
        const bool is_plain = pop().kind == Value::Kind::empty_tuple && pop().kind == Value::Kind::persistent_class;
        require(is_plain, "an object made with arguments");
        push<Value::Kind::object>(0);
    }

    void build_object(std::uint64_t) {
        const Value state = pop();
        require(top().kind == Value::Kind::object && state.kind == Value::Kind::dict && !object_state_,
                "a state for something that is not Chroma's PersistentData");
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
        require(stack_.empty() && (result.kind != Value::Kind::object || object_state_), "values left over");
        const Dict& fields = dict_of(result.kind == Value::Kind::object ? *object_state_ : result);
        const Value* labels = find(fields, "id_to_label");
        require(labels != nullptr && dict_of(*labels).is_wanted, "no id_to_label");
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
            require(
                item.key.kind == Value::Kind::text && item.value.kind == Value::Kind::integer && item.value.number >= 0,
                "an id_to_label that is not of texts and labels");
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

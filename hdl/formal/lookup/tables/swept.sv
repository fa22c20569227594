    // The row that was read, and what stands there once the sweep has written back what it wants to.
    logic done = 0, settles;
    logic [71:0] earlier;
    logic damaged_before;
    always_ff @(posedge clock) begin
        done <= returned && sweep__capture && sweep__active && !written;
        earlier <= candidate__row;
        damaged_before <= candidate__damaged;
        settles <= sweep__settle;
    end
    function automatic logic visible(input logic [71:0] data, input logic batch);
        visible = data[RowData__valid__lsb] && !(data[RowData__pending__lsb] && !batch) && !(data[RowData__pending_clear__lsb] && batch);
    endfunction
    function automatic logic [3:0] parity(input logic [71:0] data);
        parity = 0;
        for (int i = 0; i < 72; i++) parity[i % 4] = parity[i % 4] ^ data[i];
    endfunction
    localparam HIT = RowData__ring__lsb;
    wire [71:0] after = dirty ? row : earlier;
    always_comb begin
        if (done && !damaged_before) begin
            // Seen by a frame from before the end of the batch, and by one from behind it.
            sweep__same: assert (visible(after, 0) == visible(earlier, settles) && visible(after, 1) == visible(earlier, settles));
            if (visible(after, 0)) sweep__content: assert (after[67:HIT] == earlier[67:HIT]);
            if (dirty) sweep__parity: assert (parity(after) == (gone ? 0 : parity(earlier)));
            sweep__key: assert (gone == (earlier[RowData__valid__lsb] && !visible(earlier, settles)));
        end
        if (done && damaged_before) sweep__damaged: assert (!dirty && !gone);

        settled: cover (done && settles && dirty && !gone);
        aborted: cover (done && !settles && dirty && gone);
    end
